//! Notices that a session ended.

use store::LogoutNotice;

use crate::bench::Bench;
use crate::make::at;

pub async fn a_notice_is_claimed_by_one_sender_and_retried(store: &Bench) {
    let notice = LogoutNotice {
        id: "one".into(),
        client_id: "shop".into(),
        url: "https://x/".into(),
        subject: "auth0|1".into(),
        session: "s".into(),
        attempts: 0,
    };
    let mut write = store.write();
    write.post_logout_notice(&notice, at(0));
    store.commit(write).await.unwrap();
    let outcomes = store
        .race(20, |store, _| async move {
            store.claim_logout_notices(at(1), at(50), 9).await
        })
        .await;
    let claimed: Vec<_> = outcomes.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(
        claimed,
        [LogoutNotice {
            attempts: 1,
            ..notice
        }]
    );
    let mut write = store.write();
    write.mark_notice_unsent("one", "no answer", Some(at(60)));
    store.commit(write).await.unwrap();
    let due = async |millis| {
        let due = store.claim_logout_notices(at(millis), at(99), 9).await;
        due.unwrap().len()
    };
    assert_eq!((due(59).await, due(60).await), (0, 1));
    let mut write = store.write();
    write.mark_notice_sent("one", at(61));
    store.commit(write).await.unwrap();
    assert_eq!(due(1000).await, 0);
    let mut write = store.write();
    write.forget_logout_notices(at(1));
    store.commit(write).await.unwrap();
    assert!(!store.dump().await.unwrap().contains("https://x/"));
}
