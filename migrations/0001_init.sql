-- The first schema. {{rowkey}} is the type of an integer primary key, {{keytext}} text that sorts
-- by bytes on both databases. Times are milliseconds since the epoch. JSON is text: both databases
-- give back what was written, byte for byte. No foreign keys: batches keep the relations whole
-- (docs/decisions/0005-no-foreign-keys.md).

create table settings (
    name {{keytext}} primary key,
    value text not null
);

create table sequences (
    name {{keytext}} primary key,
    next bigint not null
);
insert into sequences (name, next) values ('user', 1);

create table connections (
    id {{keytext}} primary key,
    name {{keytext}} not null,
    display_name text,
    options text not null,
    configuration text not null,
    metadata text not null,
    attributes text not null,
    version bigint not null,
    created_at bigint not null
);
create unique index connections_name on connections (name);

create table connection_realms (
    realm {{keytext}} primary key,
    connection_id {{keytext}} not null,
    position bigint not null
);
create index connection_realms_connection on connection_realms (connection_id);

create table connection_clients (
    connection_id {{keytext}} not null,
    client_id {{keytext}} not null,
    primary key (connection_id, client_id)
);
create index connection_clients_client on connection_clients (client_id);

create table clients (
    client_id {{keytext}} primary key,
    name {{keytext}} not null,
    secret bytea not null,
    auth text not null,
    grant_types text not null,
    attributes text not null,
    version bigint not null,
    created_at bigint not null
);

create table resource_servers (
    id {{keytext}} primary key,
    identifier {{keytext}} not null,
    name {{keytext}} not null,
    scopes text not null,
    token_lifetime bigint not null,
    is_system boolean not null,
    attributes text not null,
    version bigint not null
);
create unique index resource_servers_identifier on resource_servers (identifier);

create table client_grants (
    id {{keytext}} primary key,
    client_id {{keytext}} not null,
    audience {{keytext}} not null,
    scope text not null
);
create unique index client_grants_pair on client_grants (client_id, audience);

create table signing_keys (
    kid {{keytext}} primary key,
    state text not null,
    private_key bytea not null,
    created_at bigint not null,
    retired_at bigint,
    current_since bigint,
    revoked_at bigint
);
-- One current key and one next key, whichever process rotates.
create unique index signing_keys_state on signing_keys (state) where state <> 'previous';

create table users (
    id {{rowkey}} primary key,
    user_id {{keytext}} not null,
    email {{keytext}},
    email_verified boolean not null,
    username {{keytext}},
    phone_number text,
    phone_verified boolean,
    name {{keytext}},
    nickname text,
    given_name text,
    family_name text,
    picture text,
    blocked boolean,
    extra text,
    user_metadata text,
    app_metadata text,
    logins_count bigint not null,
    last_login bigint,
    last_ip text,
    last_password_reset bigint,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    -- When an administrator last ended all sessions: a login under way must begin anew.
    sessions_revoked_at bigint
);

create table identities (
    provider {{keytext}} not null,
    foreign_id {{keytext}} not null,
    user_row bigint not null,
    connection_id {{keytext}} not null,
    is_primary boolean not null,
    email_key {{keytext}},
    username_key {{keytext}},
    phone_key {{keytext}},
    password_hash text,
    password_imported boolean not null,
    origin text not null,
    migrated_at bigint,
    import_job text,
    profile_data text
);
-- Of several keys that are taken, a conflict names the first of these.
-- {{in order}}
create unique index identities_pkey on identities (provider, foreign_id);
create unique index identities_email on identities (connection_id, email_key);
create unique index identities_username on identities (connection_id, username_key)
    where username_key is not null;
create unique index identities_phone on identities (connection_id, phone_key)
    where phone_key is not null;
-- {{end}}
create index identities_user on identities (user_row);

-- The ids by which a legacy store knows users who were here under an id of their own.
create table legacy_ids (
    connection_id {{keytext}} not null,
    foreign_id {{keytext}} not null,
    user_row bigint not null,
    created_at bigint not null,
    primary key (connection_id, foreign_id)
);
create index legacy_ids_user on legacy_ids (user_row);

create table mfa_factors (
    user_row bigint not null,
    position bigint not null,
    kind text not null,
    secret bytea not null,
    created_at bigint not null,
    primary key (user_row, position)
);

create table jobs (
    id {{keytext}} primary key,
    type text not null,
    status text not null,
    connection_id {{keytext}} not null,
    external_id text,
    upsert boolean not null,
    send_completion_email boolean not null,
    options text not null,
    status_details text,
    size bigint not null,
    read_offset bigint not null,
    total bigint not null,
    inserted bigint not null,
    updated bigint not null,
    failed bigint not null,
    lease_owner text,
    lease_until bigint not null,
    created_at bigint not null,
    started_at bigint,
    ended_at bigint,
    -- Bytes of the upload as it was sent; differs from read_offset in a packed file.
    consumed bigint not null default 0,
    -- Where the run under way began, for its rate.
    run_started_at bigint,
    run_total bigint not null default 0,
    run_consumed bigint not null default 0,
    advanced_at bigint,
    idempotency_key {{keytext}},
    file_digest text,
    -- Whether its failed rows are still kept as they were sent, and its report.
    keeps_originals boolean not null default true,
    keeps_errors boolean not null default true
);
create index jobs_status on jobs (status, created_at);
create unique index jobs_idempotency on jobs (connection_id, idempotency_key)
    where idempotency_key is not null;

create table job_errors (
    job_id {{keytext}} not null,
    row_number bigint not null,
    row_offset bigint not null,
    row_json text not null,
    errors text not null,
    -- The row as it was sent, under seal.
    sealed bytea,
    primary key (job_id, row_number)
);

create table job_error_codes (
    job_id {{keytext}} not null,
    code {{keytext}} not null,
    errors bigint not null,
    primary key (job_id, code)
);

create table uploads (
    id {{keytext}} primary key,
    size bigint,
    received bigint not null,
    created_at bigint not null,
    touched_at bigint not null
);

-- What a job's rows did to users who were here already: names of fields, never values. Written
-- where the caller gave a policy.
create table job_merges (
    job_id {{keytext}} not null,
    row_number bigint not null,
    user_id {{keytext}} not null,
    fields text not null,
    primary key (job_id, row_number)
);

-- Users that a running job has met, as bits, 8192 a chunk.
create table job_marks (
    job_id {{keytext}} not null,
    chunk bigint not null,
    bits bytea not null,
    primary key (job_id, chunk)
);

create table spool_chunks (
    job_id {{keytext}} not null,
    position bigint not null,
    bytes bytea not null,
    created_at bigint not null,
    primary key (job_id, position)
);

-- What an export job has beside its row in jobs. The bytes of an attempt that is not this one belong
-- to nobody.
create table exports (
    job_id {{keytext}} primary key,
    request text not null,
    link bytea not null,
    attempt {{keytext}},
    expires_at bigint
);

create table export_chunks (
    job_id {{keytext}} not null,
    attempt {{keytext}} not null,
    position bigint not null,
    bytes bytea not null,
    primary key (job_id, attempt, position)
);

create table log_events (
    log_id {{keytext}} primary key,
    date bigint not null,
    type text not null,
    user_id {{keytext}},
    connection_id {{keytext}},
    body text not null
);
-- A login of an unknown user is in it as well: its time must not tell that there is nobody.
create index log_events_user on log_events (user_id, log_id)
    where user_id is not null or type = 'fu';

-- Browsers in which somebody has proved who they are. The cookie's token is kept as its hash.
create table sessions (
    id {{keytext}} primary key,
    token_hash {{keytext}} not null,
    user_row bigint not null,
    connection_id {{keytext}},
    methods text not null,
    authenticated_at bigint not null,
    ip text,
    user_agent text,
    created_at bigint not null,
    touched_at bigint not null,
    idle_expires_at bigint not null,
    expires_at bigint not null
);
create unique index sessions_token on sessions (token_hash);
create index sessions_user on sessions (user_row);
create index sessions_expiry on sessions (expires_at);

-- The clients that got something through a session: they are told when it ends.
create table session_clients (
    session_id {{keytext}} not null,
    client_id {{keytext}} not null,
    user_row bigint not null,
    primary key (session_id, client_id)
);
create index session_clients_user on session_clients (user_row);

create table tickets (
    token_hash {{keytext}} primary key,
    purpose text not null,
    connection_id {{keytext}} not null,
    user_row bigint,
    email text not null,
    result_url text,
    tells_email boolean not null,
    proves_email boolean not null,
    used_at bigint,
    created_at bigint not null,
    expires_at bigint not null,
    -- What two spellings of the address share.
    email_key {{keytext}} not null
);
create index tickets_email on tickets (connection_id, email_key);
create index tickets_expiry on tickets (expires_at);

create table outbox (
    id {{keytext}} primary key,
    recipient text not null,
    subject text not null,
    body bytea not null,
    attempts bigint not null,
    next_attempt_at bigint,
    sent_at bigint,
    last_error text,
    created_at bigint not null
);
create index outbox_due on outbox (next_attempt_at) where next_attempt_at is not null;

create table rate_counters (
    name {{keytext}} primary key,
    count bigint not null,
    window_ends_at bigint not null
);

-- What one login allowed one client: the root of its code and of all its tokens.
create table authorizations (
    id {{keytext}} primary key,
    client_id {{keytext}} not null,
    user_row bigint not null,
    connection_id {{keytext}},
    session_id {{keytext}},
    audience text,
    scope text not null,
    methods text not null,
    authenticated_at bigint not null,
    dpop_key text,
    created_at bigint not null,
    revoked_at bigint,
    expires_at bigint not null
);
create index authorizations_user on authorizations (user_row);
create index authorizations_session on authorizations (session_id) where session_id is not null;
create index authorizations_expiry on authorizations (expires_at);

create table authorization_codes (
    code_hash {{keytext}} primary key,
    authorization_id {{keytext}} not null,
    binding text not null,
    used_at bigint,
    created_at bigint not null,
    expires_at bigint not null
);
create index authorization_codes_authorization on authorization_codes (authorization_id);
create index authorization_codes_expiry on authorization_codes (expires_at);

-- Accounts that were blocked after failures: whoever owns one is told once a block.
create table block_notices (
    name {{keytext}} primary key,
    identifier text not null,
    connection_id {{keytext}} not null,
    told_at bigint,
    created_at bigint not null,
    expires_at bigint not null
);
create index block_notices_due on block_notices (created_at) where told_at is null;

-- Hashes that a user had before, where the connection's policy remembers them.
create table password_history (
    user_row bigint not null,
    created_at bigint not null,
    hash text not null,
    primary key (user_row, created_at)
);

-- Public keys by which clients prove themselves.
create table client_credentials (
    id {{keytext}} primary key,
    client_id {{keytext}} not null,
    name text,
    kid text not null,
    algorithm text not null,
    pem text not null,
    created_at bigint not null,
    updated_at bigint not null,
    expires_at bigint
);
create index client_credentials_client on client_credentials (client_id);

-- Ids of assertions and proofs that were used; none is used twice.
create table used_tokens (
    name {{keytext}} primary key,
    expires_at bigint not null
);
create index used_tokens_expiry on used_tokens (expires_at);

-- Refresh tokens: each hangs on its authorization, which is its family. Whoever revokes that ends
-- them all.
create table refresh_tokens (
    token_hash {{keytext}} primary key,
    authorization_id {{keytext}} not null,
    user_row bigint not null,
    used_at bigint,
    created_at bigint not null,
    touched_at bigint not null,
    expires_at bigint,
    idle_expires_at bigint
);
create index refresh_tokens_authorization on refresh_tokens (authorization_id);
create index refresh_tokens_user on refresh_tokens (user_row);

-- Access tokens that say nothing by themselves: what they mean is kept here.
create table opaque_tokens (
    token_hash {{keytext}} primary key,
    authorization_id {{keytext}},
    user_row bigint,
    claims text not null,
    created_at bigint not null,
    expires_at bigint not null
);
create index opaque_tokens_user on opaque_tokens (user_row) where user_row is not null;
create index opaque_tokens_expiry on opaque_tokens (expires_at);

-- Devices that wait for a person with a browser (RFC 8628).
create table device_codes (
    device_code_hash {{keytext}} primary key,
    user_code {{keytext}} not null,
    client_id {{keytext}} not null,
    audience text,
    scope text not null,
    state text not null,
    authorization_id {{keytext}},
    user_row bigint,
    seconds_between bigint not null,
    polled_at bigint,
    created_at bigint not null,
    expires_at bigint not null
);
create unique index device_codes_user_code on device_codes (user_code);
create index device_codes_user on device_codes (user_row) where user_row is not null;
create index device_codes_expiry on device_codes (expires_at);

-- Authorization requests that a client sent ahead (RFC 9126); used once.
create table pushed_requests (
    uri_hash {{keytext}} primary key,
    client_id {{keytext}} not null,
    parameters bytea not null,
    used_at bigint,
    created_at bigint not null,
    expires_at bigint not null
);
create index pushed_requests_expiry on pushed_requests (expires_at);

-- Logins under way: what was asked for, and how far the person has come. Finished ones stay until
-- their time is over, so that a repeated form is told so.
create table login_transactions (
    id {{keytext}} primary key,
    browser_hash text not null,
    request text not null,
    progress bytea not null,
    version bigint not null,
    finished_at bigint,
    created_at bigint not null,
    expires_at bigint not null
);
create index login_transactions_expiry on login_transactions (expires_at);

-- What people allowed clients to ask for; the audience is empty where no API was named.
create table consents (
    id {{keytext}} primary key,
    user_row bigint not null,
    client_id {{keytext}} not null,
    audience {{keytext}} not null,
    scope text not null,
    created_at bigint not null,
    updated_at bigint not null
);
create unique index consents_target on consents (user_row, client_id, audience);

-- Clients to be told that a session ended: written with its end, sent later, retried.
create table logout_notices (
    id {{keytext}} primary key,
    client_id {{keytext}} not null,
    url text not null,
    subject {{keytext}} not null,
    session_id {{keytext}} not null,
    attempts bigint not null,
    next_attempt_at bigint,
    sent_at bigint,
    last_error text,
    created_at bigint not null
);
create index logout_notices_due on logout_notices (next_attempt_at) where next_attempt_at is not null;
-- Second factors beside mfa_factors, which holds the factors themselves, imported or enrolled here.
-- What is known of a factor's use. last_step outlives the factor: a code is never taken twice.
create table factor_states (
    user_row bigint not null,
    position bigint not null,
    last_step bigint not null,
    last_used_at bigint,
    name text,
    enrolled_at bigint,
    primary key (user_row, position)
);

create table recovery_codes (
    user_row bigint primary key,
    code_hash {{keytext}} not null,
    created_at bigint not null
);

create table passkeys (
    credential_id {{keytext}} primary key,
    user_row bigint not null,
    public_key bytea not null,
    sign_count bigint not null,
    transports text not null,
    backed_up boolean not null,
    second_factor boolean not null,
    name text,
    created_at bigint not null,
    last_used_at bigint
);
create index passkeys_user on passkeys (user_row);

-- What waits for an answer: tokens of interrupted logins, codes sent by mail, challenges to
-- authenticators, factors to be confirmed. The body is under seal.
create table mfa_challenges (
    id_hash {{keytext}} primary key,
    kind text not null,
    user_row bigint,
    body bytea not null,
    attempts bigint not null,
    used_at bigint,
    created_at bigint not null,
    expires_at bigint not null
);
create index mfa_challenges_user on mfa_challenges (user_row) where user_row is not null;
create index mfa_challenges_expiry on mfa_challenges (expires_at);

-- Where clients are told, and of which ends: follows from their members, for the batches that end
-- sessions. The words in "ends" are within spaces.
create table logout_receivers (
    client_id {{keytext}} primary key,
    url text not null,
    ends text not null
);
