//! What holds for every store.

use script::{FailureKind, LoginOutcome, LookupOutcome, RawProfile};

use crate::rig::Starter;

/// Somebody of `crates/testkit/stores`, by `user_id` and what is typed.
#[derive(Clone, Copy)]
pub struct Person {
    pub id: &'static str,
    pub username: &'static str,
    pub email: &'static str,
    pub password: &'static str,
}

const LONG: &str = "long long long long long long long long long long long long long long long \
                    long long long long long long long long long long long long long long long end";

pub const PEOPLE: [Person; 5] = [
    person("1", "ann", "ann@example.org", "correct horse"),
    person("2", "ohara", "o'hara@example.org", "pässwörd (1)*"),
    person("3", "plus", "petra+shop@mail.example.org", "plus+plus"),
    person("4", "upper", "Udo.Upper@Example.org", "UPPER lower"),
    person("5", "long", "long@example.org", LONG),
];

const fn person(
    id: &'static str,
    username: &'static str,
    email: &'static str,
    password: &'static str,
) -> Person {
    Person {
        id,
        username,
        email,
        password,
    }
}

/// Names that mean something in SQL, LDAP or a URL, and are nobody's.
const HOSTILE: [&str; 8] = [
    "nobody@example.org",
    "' OR '1'='1",
    "ann' -- ",
    "\\' OR 1=1 -- ",
    "*",
    "ann)(uid=*",
    "../users/1",
    "änn@example.org",
];

#[track_caller]
pub fn found(outcome: LoginOutcome, who: &str) -> RawProfile {
    match outcome {
        LoginOutcome::Found(profile) => profile,
        other => panic!("{who}: {other:?}"),
    }
}

#[track_caller]
pub fn failure(outcome: LoginOutcome) -> String {
    match outcome {
        LoginOutcome::Failed(failure) if failure.kind == FailureKind::Thrown => failure.message,
        other => panic!("not the server's failure: {other:?}"),
    }
}

/// Everybody logs in with the right password only, by any spelling of the address, and `get_user`
/// says the same of them.
pub async fn everybody_logs_in(
    starter: &Starter,
    people: &[Person],
    id: impl Fn(&Person) -> String,
) {
    for person in people {
        let profile = found(
            starter.login(person.email, person.password).await,
            person.email,
        );
        assert_eq!(profile["user_id"], id(person), "{}", person.email);
        assert_eq!(profile["email"], person.email);
        let text = serde_json::to_string(&profile).unwrap();
        for secret in [
            "$P$", "$wp$", "$2y$", "$2a$", "$argon2", "$6$", "SHA", "assword",
        ] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        let upper = starter
            .login(&person.email.to_uppercase(), person.password)
            .await;
        assert_eq!(found(upper, "upper case"), profile);

        let wrong = format!("!{}", person.password);
        for wrong in [wrong.as_str(), &person.password.to_uppercase(), ""] {
            if wrong == person.password {
                continue;
            }
            let outcome = starter.login(person.email, wrong).await;
            assert!(
                matches!(&outcome, LoginOutcome::WrongPassword { user: Some(user), .. } if user == person.email),
                "{}: {outcome:?}",
                person.email
            );
        }
        match starter.get_user(person.email).await {
            LookupOutcome::Found(same) => assert_eq!(same, profile),
            other => panic!("{}: {other:?}", person.email),
        }
    }
}

/// By user name too.
pub async fn user_names_work(starter: &Starter, people: &[Person]) {
    for person in people {
        let profile = found(
            starter.login(person.username, person.password).await,
            person.username,
        );
        assert_eq!(profile["email"], person.email);
        assert_eq!(profile["username"], person.username);
    }
}

/// Nobody is nobody, whatever the name would mean to the store.
pub async fn nobody_is_nobody(starter: &Starter) {
    for name in HOSTILE {
        let outcome = starter.login(name, "correct horse").await;
        assert_eq!(outcome, LoginOutcome::NoSuchUser, "{name}");
        let outcome = starter.get_user(name).await;
        assert_eq!(outcome, LookupOutcome::NotFound, "{name}");
    }
}

/// A store that is gone is a failure, never a wrong password and never nobody.
pub async fn an_outage_is_a_failure(starter: &Starter, words: &str) {
    let message = failure(starter.login("ann@example.org", "correct horse").await);
    assert!(message.contains(words), "{message}");
    match starter.get_user("ann@example.org").await {
        LookupOutcome::Failed(_) => {}
        other => panic!("{other:?}"),
    }
}
