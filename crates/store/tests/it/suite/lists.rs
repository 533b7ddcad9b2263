//! Pages of users.

use domain::{Attributes, Page};
use store::{UserFilter, UserSort};

use crate::bench::Bench;
use crate::make::{at, email, insert, new_user, object, put_connection, username};

const SORTS: [UserSort; 8] = [
    UserSort::Arrival,
    UserSort::CreatedAt,
    UserSort::UpdatedAt,
    UserSort::Email,
    UserSort::Name,
    UserSort::LastLogin,
    UserSort::LoginsCount,
    UserSort::UserId,
];

/// Names whose order depends on the collation.
const NAMES: [Option<&str>; 12] = [
    Some("b"),
    None,
    Some("B"),
    Some("a b"),
    Some("ab"),
    Some("a-b"),
    Some("é"),
    Some("e"),
    Some("z"),
    Some("👍"),
    Some("\u{fffd}"),
    Some(""),
];

async fn fill(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let other = put_connection(store, "other").await;
    for (number, name) in NAMES.iter().enumerate() {
        let row = store.next_user_row().await.unwrap();
        let home = if number % 4 == 3 { &other } else { &connection };
        let mut user = new_user(
            row,
            home,
            &format!("{}|{number}", name.unwrap_or("-")),
            "a@b.co",
        );
        let address = (number % 3 != 2).then(|| {
            email(&format!(
                "{}@x.org",
                ["B", "a", "_", "É"][number % 4].repeat(number + 1)
            ))
        });
        user.attributes = Attributes {
            username: Some(username(&format!("u{number}"))),
            email: address,
            name: name.map(Into::into),
            ..Attributes::default()
        };
        user.attributes.user_metadata = Some(object(serde_json::json!({"n": number})));
        user.created_at = at(number as i64 % 5);
        insert(store, &user).await.unwrap();
        for login in 0..number % 3 {
            let mut write = store.write();
            write.record_login(row, None, at(login as i64));
            store.commit(write).await.unwrap();
        }
    }
}

pub async fn pages_join_to_the_whole_list_in_every_order(store: &Bench) {
    fill(store).await;
    for sort in SORTS {
        for descending in [false, true] {
            let filter = UserFilter::default();
            let page =
                |number, size| store.list_users(&filter, sort, descending, Page { number, size });
            let whole = page(0, 100).await.unwrap();
            assert_eq!((whole.items.len(), whole.total), (12, Some(12)));
            let mut joined = Vec::new();
            for number in 0..4 {
                joined.extend(page(number, 5).await.unwrap().items);
            }
            assert_eq!(joined, whole.items, "{sort:?} {descending}");
            let beyond = page(9, 5).await.unwrap();
            assert_eq!((beyond.items.len(), beyond.total), (0, Some(12)));
            assert_eq!(page(0, 0).await.unwrap().items, []);
        }
    }
}

pub async fn text_sorts_by_bytes_and_absent_last(store: &Bench) {
    fill(store).await;
    for descending in [false, true] {
        let found = store
            .list_users(
                &UserFilter::default(),
                UserSort::Name,
                descending,
                Page::default(),
            )
            .await
            .unwrap();
        let names: Vec<_> = found
            .items
            .iter()
            .map(|user| user.attributes.name.as_deref())
            .collect();
        let mut wanted: Vec<_> = NAMES.iter().copied().flatten().collect();
        wanted.sort_unstable();
        if descending {
            wanted.reverse();
        }
        let wanted: Vec<_> = wanted.into_iter().map(Some).chain([None]).collect();
        assert_eq!(names, wanted);
    }
    let rows = |users: &[domain::User]| users.iter().map(|user| user.row).collect::<Vec<_>>();
    for sort in [
        UserSort::Email,
        UserSort::LastLogin,
        UserSort::CreatedAt,
        UserSort::LoginsCount,
        UserSort::UserId,
    ] {
        let found = store
            .list_users(&UserFilter::default(), sort, false, Page::default())
            .await
            .unwrap()
            .items;
        let mut wanted = found.clone();
        wanted.sort_by_key(|user| {
            let text = match sort {
                UserSort::Email => user
                    .attributes
                    .email
                    .as_ref()
                    .map(|email| email.as_str().to_owned()),
                UserSort::UserId => Some(user.user_id.to_string()),
                _ => None,
            };
            let number = match sort {
                UserSort::LastLogin => user.last_login.map(domain::Instant::millis),
                UserSort::CreatedAt => Some(user.created_at.millis()),
                UserSort::LoginsCount => Some(user.logins_count),
                _ => None,
            };
            (text.is_none() && number.is_none(), text, number, user.row)
        });
        assert_eq!(rows(&found), rows(&wanted), "{sort:?}");
    }
}

pub async fn a_filter_counts_only_its_connection(store: &Bench) {
    fill(store).await;
    let list = async |connection: &str| {
        let filter = UserFilter::Connection(connection.into());
        let found = store
            .list_users(
                &filter,
                UserSort::Arrival,
                false,
                Page { number: 0, size: 2 },
            )
            .await
            .unwrap();
        (found.total, found.items.len())
    };
    assert_eq!(list("con_other").await, (Some(3), 2));
    assert_eq!(list("con_main").await, (Some(9), 2));
    assert_eq!(list("con_none").await, (Some(0), 0));
    assert_eq!(list("con_none\0").await, (Some(0), 0));
}

pub async fn a_filter_finds_by_address_and_by_id(store: &Bench) {
    fill(store).await;
    let whole = async |filter: UserFilter| {
        let found = store
            .list_users(&filter, UserSort::Arrival, false, Page::default())
            .await
            .unwrap();
        assert_eq!(found.total, Some(found.items.len() as i64));
        found.items
    };
    for user in whole(UserFilter::All).await {
        let found = whole(UserFilter::UserId(user.user_id.clone())).await;
        assert!(found.len() == 1 && found.contains(&user));
        if let Some(address) = &user.attributes.email {
            let found = whole(UserFilter::Email(address.as_str().to_uppercase())).await;
            assert!(found.contains(&user));
        }
    }
    for nobody in ["", "auth0", "auth0|", "auth0|nobody", "a\0|b"] {
        assert_eq!(whole(UserFilter::UserId(nobody.into())).await, []);
        assert_eq!(whole(UserFilter::Email(nobody.into())).await, []);
    }
}
