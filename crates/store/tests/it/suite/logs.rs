//! The tenant log.

use domain::{Json, LogEvent, Page};

use crate::bench::Bench;
use crate::make::{EXOTIC, at, event, exotic_json};

pub async fn an_event_comes_back_as_it_was(store: &Bench) {
    let wanted = LogEvent {
        description: Some(EXOTIC.concat()),
        connection: Some(("con_1".into(), "name".into())),
        client: Some(("c".into(), "client".into())),
        user_id: Some("auth0|1".into()),
        user_name: Some("typed \0 name".into()),
        ip: Some("::1".into()),
        user_agent: Some("curl \"x\"".into()),
        details: exotic_json(),
        ..event("id")
    };
    let mut write = store.write();
    write.log(&wanted);
    store.commit(write).await.unwrap();
    let found = store.find_log("id").await.unwrap().unwrap();
    assert_eq!(found, wanted.to_json());
    let text = |json: &Json| serde_json::to_string(json).unwrap();
    assert_eq!(text(&found), text(&wanted.to_json()));
    assert!(store.find_log("none\0").await.unwrap().is_none());
}

pub async fn events_are_listed_by_id(store: &Bench) {
    let mut write = store.write();
    for (number, id) in ["900", "901", "90a", "90A", "9"].iter().enumerate() {
        let user_id = (number % 2 == 0).then(|| "auth0|even".into());
        write.log(&LogEvent {
            user_id,
            date: at(number as i64),
            ..event(id)
        });
    }
    store.commit(write).await.unwrap();
    let ids = |found: Vec<Json>| -> Vec<String> {
        found
            .iter()
            .map(|json| json["log_id"].as_str().unwrap().to_owned())
            .collect()
    };
    let page = |number, size| Page { number, size };
    assert_eq!(
        ids(store.list_logs(page(0, 9), true).await.unwrap()),
        ["9", "900", "901", "90A", "90a"]
    );
    assert_eq!(
        ids(store.list_logs(page(1, 2), false).await.unwrap()),
        ["901", "900"]
    );
    assert_eq!(
        ids(store.list_logs_after("900", 2).await.unwrap()),
        ["901", "90A"]
    );
    assert_eq!(ids(store.list_logs_after("", 1).await.unwrap()), ["9"]);
    assert_eq!(
        ids(store
            .list_user_logs(&"auth0|even".into(), page(0, 9), false)
            .await
            .unwrap()),
        ["90a", "900", "9"]
    );
    let even = "auth0|even".into();
    assert_eq!(
        ids(store.list_user_logs(&even, page(0, 2), true).await.unwrap()),
        ["9", "900"]
    );
    assert_eq!(store.count_user_logs(&even).await.unwrap(), 3);
    assert_eq!(store.count_user_logs(&"auth0|odd".into()).await.unwrap(), 0);
    assert_eq!(store.count_logs().await.unwrap(), 5);
    let mut write = store.write();
    write.forget_logs(at(3));
    store.commit(write).await.unwrap();
    assert_eq!(
        ids(store.list_logs(page(0, 9), true).await.unwrap()),
        ["9", "90A"]
    );
}
