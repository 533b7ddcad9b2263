//! Hashes of earlier passwords.

use crate::bench::Bench;
use crate::make::{at, credential, put_connection, put_user};

pub async fn the_youngest_hashes_are_kept(store: &Bench) {
    let connection = put_connection(store, "c").await;
    let user = put_user(store, &connection, "1", "a@x.org").await;
    for number in 0..5 {
        let mut write = store.write();
        write.remember_password(user.row, &connection.id, 3, at(number));
        let next = credential(&format!("hash {number}"));
        write.set_password(user.row, &connection.id, &next, at(number));
        store.commit(write).await.unwrap();
    }
    let list = async |limit| -> Vec<String> {
        let found = store.list_passwords(user.row, &connection.id, limit).await;
        let found = found.unwrap().into_iter();
        found.map(|hash| hash.expose().to_owned()).collect()
    };
    // The one in force, and three before it.
    assert_eq!(list(9).await, ["hash 4", "hash 3", "hash 2", "hash 1"]);
    assert_eq!(list(1).await, ["hash 4", "hash 3"]);
    let mut write = store.write();
    write.delete_user(user.row);
    store.commit(write).await.unwrap();
    assert_eq!(list(9).await, [""; 0]);
}
