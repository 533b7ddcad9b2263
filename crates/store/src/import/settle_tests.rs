use super::*;

fn holder(user: i64, key: ClaimedKey) -> Holder {
    Holder {
        user: UserRow(user),
        key,
        is_of_this_job: false,
    }
}

fn stored() -> Stored {
    Stored {
        user: UserRow(1),
        user_id: "auth0|1".into(),
        email: Some("a@x.org".into()),
        ..Stored::default()
    }
}

fn row() -> ImportRow {
    ImportRow {
        foreign_id: "1".into(),
        email: "a@x.org".into(),
        ..ImportRow::default()
    }
}

fn code(found: Result<UserRow, RowError>) -> String {
    match found {
        Ok(user) => format!("user {}", user.0),
        Err(error) => format!("{} {}", error.code.as_str(), error.path),
    }
}

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap()
}

#[test]
fn twice_in_the_file_is_never_an_upsert() {
    let (none, upsert) = (Marks::default(), Policy::upsert());
    let mut ours = holder(1, ClaimedKey::Email);
    ours.is_of_this_job = true;
    assert_eq!(
        code(target(&[ours], &upsert, &none)),
        "DUPLICATED_USER email"
    );
    let mut marks = Marks::default();
    marks.load_chunk(0, None);
    marks.set(UserRow(1));
    let held = [holder(1, ClaimedKey::Email)];
    assert_eq!(
        code(target(&held, &upsert, &marks)),
        "DUPLICATED_USER email"
    );
    assert_eq!(code(target(&held, &upsert, &none)), "user 1");
    assert_eq!(
        code(target(&held, &Policy::reject(), &none)),
        "CONFLICT_EMAIL email"
    );
}

#[test]
fn the_documented_upsert_matches_by_email_alone() {
    let none = Marks::default();
    for (key, expected) in [
        (ClaimedKey::Username, "CONFLICT_USERNAME username"),
        (ClaimedKey::ForeignId, "CONFLICT user_id"),
        (ClaimedKey::PhoneNumber, "CONFLICT phone_number"),
    ] {
        assert_eq!(
            code(target(&[holder(1, key)], &Policy::upsert(), &none)),
            expected
        );
    }
}

#[test]
fn keys_of_two_users_are_an_error_that_names_both() {
    let both = policy(r#"{"match_on":["email","username"],"fields":{"default":"replace"}}"#);
    let holders = [
        holder(1, ClaimedKey::Email),
        holder(2, ClaimedKey::Username),
    ];
    let found = target(&holders, &both, &Marks::default()).unwrap_err();
    assert_eq!(
        found.message,
        "A user with this email already exists, and another one with this username; neither was \
         changed."
    );
    // The same where only one key names the person, and the other would be taken.
    let by_email = policy(r#"{"match_on":["email"],"fields":{"username":"replace"}}"#);
    let named = ImportRow {
        username: Some("n".into()),
        ..row()
    };
    let refused = settle(&named, &stored(), &holders, &by_email).unwrap();
    assert_eq!(refused.unwrap_err().message, found.message);
    // The documented upsert never takes a username.
    let ignored = settle(&named, &stored(), &holders, &Policy::upsert()).unwrap();
    assert!(ignored.unwrap().change.is_none());
}

#[test]
fn a_proven_password_is_replaced_only_when_asked() {
    let bring = |is_custom_hash| ImportRow {
        password: Some("new".into()),
        is_custom_hash,
        ..row()
    };
    let with = |password: Option<&str>, is_password_imported| Stored {
        password: password.map(HashText::from),
        is_password_imported,
        ..stored()
    };
    let takes = |row: &ImportRow, stored: &Stored, policy: &Policy| {
        let settled = settle(row, stored, &[], policy).unwrap();
        settled.map(|settled| settled.change.is_some_and(|change| change.takes_password))
    };
    let (proven, imported, none) = (
        with(Some("old"), false),
        with(Some("old"), true),
        with(None, false),
    );
    let upsert = Policy::upsert();
    assert!(takes(&bring(true), &proven, &upsert).is_err());
    assert_eq!(takes(&bring(true), &imported, &upsert), Ok(true));
    assert_eq!(takes(&bring(true), &none, &upsert), Ok(true));
    assert_eq!(takes(&bring(false), &imported, &upsert), Ok(false));
    for (rule, expected) in [
        ("never", [false, false, true]),
        ("until_proven", [false, true, true]),
        ("always", [true, true, true]),
    ] {
        let policy = policy(&format!(r#"{{"password":"{rule}"}}"#));
        let found = [&proven, &imported, &none].map(|stored| takes(&bring(false), stored, &policy));
        assert_eq!(found, expected.map(Ok), "{rule}");
    }
}

#[test]
fn a_row_that_says_the_same_changes_nothing() {
    let again = |row: &ImportRow, stored: &Stored, policy: &Policy| {
        settle(row, stored, &[], policy)
            .unwrap()
            .unwrap()
            .change
            .is_none()
    };
    assert!(again(&row(), &stored(), &Policy::upsert()));
    let proven = Stored {
        email_verified: true,
        ..stored()
    };
    assert!(!again(&row(), &proven, &Policy::upsert()));
    assert!(again(
        &row(),
        &proven,
        &policy(r#"{"fields":{"default":"replace"}}"#)
    ));
    let spaced = |text: &str| Some(text.to_owned());
    let one = ImportRow {
        app_metadata: spaced(r#"{ "a": 1 }"#),
        ..row()
    };
    let other = Stored {
        app_metadata: spaced(r#"{"a":1}"#),
        ..stored()
    };
    assert!(again(&one, &other, &Policy::upsert()));
}
