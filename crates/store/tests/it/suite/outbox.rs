//! Mail on its way out.

use std::collections::BTreeSet;

use store::{Mail, Store};

use crate::bench::Bench;
use crate::make::{EXOTIC, at};

fn mail(id: &str) -> Mail {
    Mail {
        id: id.into(),
        recipient: "a@b.co".into(),
        subject: EXOTIC.concat(),
        body: format!("one-time {}", EXOTIC.join("\r\n")),
        attempts: 0,
    }
}

async fn post(store: &Store, ids: impl IntoIterator<Item = String>) {
    let mut write = store.write();
    for id in ids {
        write.post(&mail(&id), at(0)).unwrap();
    }
    store.commit(write).await.unwrap();
}

pub async fn a_mail_is_claimed_retried_and_sent(store: &Bench) {
    post(store, ["one".into()]).await;
    let claim = async |now, retry| store.claim_mail(at(now), at(retry), 10).await.unwrap();
    assert_eq!(claim(-1, 50).await, []);
    assert_eq!(
        claim(0, 50).await,
        [Mail {
            attempts: 1,
            ..mail("one")
        }]
    );
    assert_eq!(claim(49, 90).await, []);
    assert_eq!(
        claim(50, 90).await,
        [Mail {
            attempts: 2,
            ..mail("one")
        }]
    );
    let mut write = store.write();
    write.mark_unsent("one", "no route 👎", Some(at(60)));
    store.commit(write).await.unwrap();
    assert_eq!(claim(60, 90).await.len(), 1);
    let mut write = store.write();
    write.mark_sent("one", at(61));
    store.commit(write).await.unwrap();
    assert_eq!(claim(1000, 2000).await, []);
    // What waits is sealed; what was sent is gone.
    post(store, ["two".into()]).await;
    let dump = store.dump().await.unwrap();
    assert!(!dump.contains("one-time") && !dump.contains("6f6e652d74696d65"));
    let mut write = store.write();
    write.mark_unsent("two", "refused", None);
    store.commit(write).await.unwrap();
    assert_eq!(claim(1000, 2000).await, []);
}

pub async fn racing_senders_share_the_mails(store: &Bench) {
    post(store, (0..100).map(|number| format!("m{number}"))).await;
    let claimed = store
        .race(20, |store, _| async move {
            store.claim_mail(at(1), at(1000), 5).await.unwrap()
        })
        .await;
    assert!(claimed.iter().all(|mails| mails.len() <= 5));
    let mut ids = Vec::new();
    ids.extend(claimed.into_iter().flatten().map(|mail| mail.id));
    // A sender may come away with less while others hold rows; nobody gets what another has.
    loop {
        let rest = store.claim_mail(at(1), at(1000), 7).await.unwrap();
        if rest.is_empty() {
            break;
        }
        ids.extend(rest.into_iter().map(|mail| mail.id));
    }
    assert_eq!(ids.len(), 100);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 100);
}

pub async fn only_old_sent_mails_are_forgotten(store: &Bench) {
    post(store, ["old", "young", "waiting"].map(str::to_owned)).await;
    let mut write = store.write();
    write.mark_sent("old", at(9));
    write.mark_sent("young", at(10));
    write.forget_mail(at(10));
    store.commit(write).await.unwrap();
    let dump = store.dump().await.unwrap();
    let left = dump.lines().filter(|line| line.starts_with("outbox:"));
    assert_eq!(left.count(), 2);
    assert_eq!(store.claim_mail(at(10), at(20), 9).await.unwrap().len(), 1);
}

pub async fn dead_letters_are_counted_and_forgotten(store: &Bench) {
    post(
        store,
        ["dead", "sent", "waiting", "taken"].map(str::to_owned),
    )
    .await;
    let dead = async || store.count_dead_mail().await.unwrap();
    assert_eq!(dead().await, 0);
    let mut write = store.write();
    write.mark_unsent("dead", "refused", None);
    write.mark_unsent("taken", "no route", Some(at(50)));
    write.mark_sent("sent", at(20));
    store.commit(write).await.unwrap();
    assert_eq!(dead().await, 1);
    let forget = async |before| {
        let mut write = store.write();
        write.forget_mail(at(before));
        store.commit(write).await.unwrap();
    };
    // As old as the moment is not older.
    forget(0).await;
    assert_eq!(dead().await, 1);
    forget(1).await;
    assert_eq!(dead().await, 0);
    let dump = store.dump().await.unwrap();
    let left = dump.lines().filter(|line| line.starts_with("outbox:"));
    assert_eq!(left.count(), 3);
    let claimed = store.claim_mail(at(50), at(90), 9).await.unwrap();
    assert_eq!(claimed.len(), 2);
}
