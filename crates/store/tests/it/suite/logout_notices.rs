//! Notices that a session ended.

use domain::{Client, SessionEnd, UserRow};
use serde_json::json;
use store::{Ending, LogoutNotice, NoticeShare, Store, Write};

use crate::bench::Bench;
use crate::make::{at, client, ending, insert, new_user, object, put_client, put_connection};
use crate::suite::sessions::{put_user, session};

/// Whatever is due.
const ALL: NoticeShare<'_> = NoticeShare {
    limit: 9,
    of_each: 9,
    but: &[],
};

/// A client that is told, and of what besides logouts.
async fn put_receiver(store: &Store, id: &str, told: &str) {
    let client = receiver(id, told);
    let mut write = store.write();
    write.insert_client(&client, at(0)).unwrap();
    store.commit(write).await.unwrap();
}

fn receiver(id: &str, told: &str) -> Client {
    Client {
        attributes: object(json!({"oidc_logout": {
            "backchannel_logout_urls": [format!("https://{id}/bye")],
            "backchannel_logout_initiators": {"mode": "custom", "selected_initiators": [told]},
        }})),
        ..client(id)
    }
}

/// A user with a session through which all three clients were served.
async fn stage(store: &Store) {
    put_user(store).await;
    put_client(store, "silent").await;
    put_receiver(store, "shop", "session-revoked").await;
    put_receiver(store, "club", "account-deleted").await;
    let mut write = store.write();
    write.insert_session(&session("s"), "t");
    for id in ["silent", "shop", "club"] {
        write.add_session_client(&"s".into(), &id.into(), UserRow(1));
    }
    store.commit(write).await.unwrap();
}

fn because(reason: SessionEnd) -> Ending {
    Ending {
        reason,
        ..ending(at(5))
    }
}

async fn told(store: &Store) -> Vec<String> {
    let claimed = store.claim_logout_notices(at(300), at(400), ALL).await;
    let mut told: Vec<_> = claimed.unwrap().into_iter().map(|n| n.url).collect();
    told.sort();
    told
}

pub async fn a_notice_is_claimed_by_one_sender_and_retried(store: &Bench) {
    stage(store).await;
    let mut write = store.write();
    write.delete_session(&"s".into(), &because(SessionEnd::Revoked));
    store.commit(write).await.unwrap();
    let outcomes = store
        .race(20, |store, _| async move {
            store.claim_logout_notices(at(6), at(50), ALL).await
        })
        .await;
    let claimed: Vec<_> = outcomes.into_iter().flat_map(Result::unwrap).collect();
    let notice = LogoutNotice {
        id: "s.shop.n".into(),
        client_id: "shop".into(),
        url: "https://shop/bye".into(),
        subject: "auth0|1".into(),
        session: "s".into(),
        attempts: 1,
    };
    assert_eq!(claimed, [notice]);
    let mut write = store.write();
    write.mark_notice_unsent("s.shop.n", "no answer", Some(at(60)));
    store.commit(write).await.unwrap();
    let due = async |millis| {
        let due = store.claim_logout_notices(at(millis), at(99), ALL).await;
        due.unwrap().len()
    };
    assert_eq!((due(59).await, due(60).await), (0, 1));
    let mut write = store.write();
    write.mark_notice_sent("s.shop.n", at(61));
    store.commit(write).await.unwrap();
    assert_eq!(due(1000).await, 0);
    let mut write = store.write();
    write.forget_logout_notices(at(6));
    store.commit(write).await.unwrap();
    let dump = store.dump().await.unwrap();
    assert!(!dump.contains("logout_notices:"), "{dump}");
}

pub async fn no_client_takes_the_place_of_others(store: &Bench) {
    stage(store).await;
    let mut write = store.write();
    for id in ["s2", "s3"] {
        write.insert_session(&session(id), id);
        write.add_session_client(&id.into(), &"shop".into(), UserRow(1));
    }
    store.commit(write).await.unwrap();
    for (id, millis) in [("s2", 5), ("s3", 6), ("s", 7)] {
        let mut write = store.write();
        write.delete_session(&id.into(), &ending(at(millis)));
        store.commit(write).await.unwrap();
    }
    let claim = async |limit, of_each, but: &[&str]| {
        let but: Vec<domain::ClientId> = but.iter().map(|id| (*id).into()).collect();
        let share = NoticeShare {
            limit,
            of_each,
            but: &but,
        };
        let claimed = store.claim_logout_notices(at(10), at(100), share).await;
        let mut claimed: Vec<_> = claimed.unwrap().into_iter().map(|n| n.id).collect();
        claimed.sort();
        claimed
    };
    assert_eq!(claim(9, 9, &["shop", "club"]).await, [""; 0]);
    assert_eq!(claim(1, 2, &[]).await, ["s2.shop.n"]);
    assert_eq!(claim(9, 1, &[]).await, ["s.club.n", "s3.shop.n"]);
    assert_eq!(claim(9, 1, &["club"]).await, ["s.shop.n"]);
    assert_eq!(claim(9, 9, &[]).await, [""; 0]);
}

pub async fn each_end_tells_whom_it_concerns(store: &Bench) {
    type End = fn(&mut Write);
    let ends: [(End, &[&str]); 6] = [
        (
            |write| {
                write.delete_session(&"s".into(), &because(SessionEnd::Logout));
            },
            &["https://club/bye", "https://shop/bye"],
        ),
        (
            |write| {
                write.delete_sessions(UserRow(1), &because(SessionEnd::Revoked));
            },
            &["https://shop/bye"],
        ),
        (
            |write| {
                write.delete_sessions(UserRow(1), &because(SessionEnd::AccountDeleted));
                write.delete_user(UserRow(1));
            },
            &["https://club/bye"],
        ),
        (
            |write| {
                let id = "con_main".into();
                write.tell_of_connection(&id, &because(SessionEnd::AccountDeleted));
                write.delete_connection(&id, at(5));
            },
            &["https://club/bye"],
        ),
        (
            |write| {
                let mut ending = because(SessionEnd::Logout);
                ending.at = at(200);
                write.forget_sessions(&ending);
            },
            &["https://club/bye", "https://shop/bye"],
        ),
        (
            |write| {
                write.forget_sessions(&because(SessionEnd::Logout));
            },
            &[],
        ),
    ];
    for (number, (end, expected)) in ends.into_iter().enumerate() {
        stage(store).await;
        let mut write = store.write();
        end(&mut write);
        store.commit(write).await.unwrap();
        assert_eq!(told(store).await, expected, "{number}");
        assert_eq!(store.orphans().await.unwrap(), [""; 0]);
        wipe(store).await;
    }
}

async fn wipe(store: &Store) {
    let tables = [
        "delete from connections",
        "delete from connection_realms",
        "delete from users",
        "delete from identities",
        "delete from sessions",
        "delete from session_clients",
        "delete from logout_notices",
        "delete from logout_receivers",
        "delete from clients",
    ];
    let wipe = tables.map(|sql| store::db::any(sql, vec![])).into();
    store.db().batch(wipe).await.unwrap();
}

pub async fn a_client_is_told_where_it_says_last(store: &Bench) {
    stage(store).await;
    let mut changed = receiver("shop", "rp-logout");
    changed.attributes = object(json!({
        "oidc_logout": {"backchannel_logout_urls": ["https://other/bye"]},
    }));
    let mut write = store.write();
    write.update_client(&changed).unwrap();
    write.delete_client(&"club".into(), at(9));
    store.commit(write).await.unwrap();
    let mut write = store.write();
    write.delete_session(&"s".into(), &because(SessionEnd::Logout));
    store.commit(write).await.unwrap();
    assert_eq!(told(store).await, ["https://other/bye"]);
    let mut write = store.write();
    write.delete_client(&"shop".into(), at(9));
    store.commit(write).await.unwrap();
    let dump = store.dump().await.unwrap();
    assert!(!dump.contains("https://other/bye"), "{dump}");
}

pub async fn whoever_is_linked_away_is_logged_out(store: &Bench) {
    stage(store).await;
    let other = put_connection(store, "other").await;
    let user = new_user(UserRow(2), &other, "2", "b@x.org");
    insert(store, &user).await.unwrap();
    let person = async |row| store.find_user_by_row(row).await.unwrap().unwrap();
    let (secondary, primary) = (person(UserRow(1)).await, person(UserRow(2)).await);
    let mut write = store.write();
    let ending = because(SessionEnd::AccountDeleted);
    write.link_user(&primary, &secondary, &ending);
    store.commit(write).await.unwrap();
    assert_eq!(told(store).await, ["https://club/bye"]);
    assert_eq!(store.orphans().await.unwrap(), [""; 0]);
}
