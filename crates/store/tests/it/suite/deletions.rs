//! Nothing is left of what is deleted while others write.

use domain::MfaFactor;
use store::Store;

use super::sessions::session_of;
use crate::bench::{Bench, tally};
use crate::make::{at, insert, new_user, put_connection, put_user};

/// Arriving users meet the deletion of their connection.
pub async fn a_deleted_connection_leaves_no_arriving_user(store: &Bench) {
    for round in 0..25 {
        let connection = put_connection(store, &format!("c{round}")).await;
        let outcomes = store
            .race(6, |store, number| {
                let connection = connection.clone();
                async move {
                    if number == round % 6 {
                        let mut write = store.write();
                        write.delete_connection(&connection.id, at(1));
                        return store.commit(write).await;
                    }
                    let row = store.next_user_row().await.unwrap();
                    let mut user = new_user(
                        row,
                        &connection,
                        &format!("{round}-{number}"),
                        &format!("{number}@x.org"),
                    );
                    user.factors =
                        vec![MfaFactor::Phone("+1".into()), MfaFactor::Totp("AB".into())];
                    insert(&store, &user).await
                }
            })
            .await;
        let (won, lost) = tally(&outcomes);
        assert!(won >= 1 && won + lost == 6, "{outcomes:?}");
        assert_eq!(store.orphans().await.unwrap(), [""; 0], "round {round}");
        assert!(!store.connection_has_users(&connection.id).await.unwrap());
    }
}

async fn change(
    store: &Store,
    connection: &domain::ConnectionId,
    row: domain::UserRow,
    token: &str,
) -> store::Result<()> {
    let Some(user) = store.find_user_by_row(row).await? else {
        return Ok(());
    };
    let mut write = store.write();
    write.update_user(&user, connection, at(1));
    write.replace_factors(
        row,
        &[MfaFactor::Phone("+1".into()), MfaFactor::Totp("AB".into())],
        at(1),
    )?;
    write.insert_session(&session_of(token, row), token);
    write.add_session_client(&token.into(), &"shop".into(), row);
    store.commit(write).await
}

/// A user's factors and sessions change while the user is deleted.
pub async fn a_deleted_user_leaves_no_arriving_factor(store: &Bench) {
    let connection = put_connection(store, "main").await;
    for round in 0..40 {
        let user = put_user(store, &connection, &round.to_string(), "a@x.org").await;
        let outcomes = store
            .race(4, |store, number| {
                let (connection, row) = (connection.id.clone(), user.row);
                async move {
                    if number == round % 4 {
                        let mut write = store.write();
                        write.delete_user(row);
                        return store.commit(write).await;
                    }
                    change(&store, &connection, row, &format!("{round}-{number}")).await
                }
            })
            .await;
        let (won, lost) = tally(&outcomes);
        assert_eq!(won + lost, 4, "{outcomes:?}");
        assert_eq!(store.orphans().await.unwrap(), [""; 0], "round {round}");
    }
}

/// The same while the whole connection goes.
pub async fn a_deleted_connection_leaves_no_arriving_factor(store: &Bench) {
    for round in 0..25 {
        let connection = put_connection(store, &format!("c{round}")).await;
        let user = put_user(store, &connection, &round.to_string(), "a@x.org").await;
        let outcomes = store
            .race(4, |store, number| {
                let (connection, row) = (connection.id.clone(), user.row);
                async move {
                    if number == round % 4 {
                        let mut write = store.write();
                        write.delete_connection(&connection, at(1));
                        return store.commit(write).await;
                    }
                    change(&store, &connection, row, &format!("{round}-{number}")).await
                }
            })
            .await;
        let (won, lost) = tally(&outcomes);
        assert_eq!(won + lost, 4, "{outcomes:?}");
        assert_eq!(store.orphans().await.unwrap(), [""; 0], "round {round}");
    }
}
