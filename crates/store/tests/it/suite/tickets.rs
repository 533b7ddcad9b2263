//! Tickets are used once, in time, and can be given back.

use domain::{ConnectionId, UserRow};
use store::{Purpose, Store, StoreError, Ticket, TicketState};

use crate::bench::Bench;
use crate::make::{EXOTIC, at, put_connection, put_user};

fn ticket(token: &str, purpose: Purpose) -> Ticket {
    Ticket {
        token_hash: token.into(),
        purpose,
        connection: ConnectionId::from("con_main"),
        user: None,
        email: EXOTIC.concat(),
        result_url: Some(EXOTIC.concat()),
        tells_email: true,
        proves_email: false,
        expires_at: at(100),
    }
}

async fn insert(store: &Store, ticket: &Ticket) {
    let mut write = store.write();
    write.insert_ticket(ticket, at(0));
    store.commit(write).await.unwrap();
}

async fn use_up(store: &Store, token: &str, millis: i64) -> store::Result<()> {
    let mut write = store.write();
    write.use_ticket(token, at(millis));
    store.commit(write).await
}

async fn state(store: &Store, token: &str, millis: i64) -> Option<TicketState> {
    let found = store.find_ticket(token, at(millis)).await.unwrap();
    found.map(|(_, state)| state)
}

pub async fn a_ticket_comes_back_is_used_once_and_given_back(store: &Bench) {
    let one = ticket("one", Purpose::Password);
    let two = Ticket {
        user: Some(UserRow(7)),
        result_url: None,
        tells_email: false,
        proves_email: true,
        ..ticket("two", Purpose::Email)
    };
    for ticket in [&one, &two] {
        insert(store, ticket).await;
        let found = store.find_ticket(&ticket.token_hash, at(99)).await.unwrap();
        assert_eq!(found, Some((ticket.clone(), TicketState::Open)));
    }
    assert_eq!(state(store, "one", 100).await, Some(TicketState::Expired));
    assert_eq!(state(store, "One", 1).await, None);
    assert_eq!(state(store, "one\0", 1).await, None);
    let is_stale = |outcome| matches!(outcome, Err(StoreError::Stale { statement: 0, .. }));
    assert!(is_stale(use_up(store, "two", 100).await));
    use_up(store, "one", 5).await.unwrap();
    assert_eq!(state(store, "one", 6).await, Some(TicketState::Used));
    assert!(is_stale(use_up(store, "one", 6).await));
    let mut write = store.write();
    write.give_back_ticket("one");
    store.commit(write).await.unwrap();
    assert_eq!(state(store, "one", 6).await, Some(TicketState::Open));
    use_up(store, "one", 7).await.unwrap();
}

pub async fn tickets_about_one_address_are_voided_together(store: &Bench) {
    let other = Ticket {
        email: "other".into(),
        ..ticket("other", Purpose::Password)
    };
    insert(store, &other).await;
    let spelled = Ticket {
        email: "ÅNN@X.com".into(),
        ..ticket("spelled", Purpose::Password)
    };
    insert(store, &spelled).await;
    for (token, purpose) in [
        ("one", Purpose::Password),
        ("two", Purpose::Password),
        ("mail", Purpose::Email),
    ] {
        insert(store, &ticket(token, purpose)).await;
    }
    let connection = ConnectionId::from("con_main");
    let mut write = store.write();
    write.void_tickets(Purpose::Password, &connection, &EXOTIC.concat(), at(1));
    // However it is spelled, and in letters that a database would not fold.
    write.void_tickets(Purpose::Password, &connection, "ånn@x.com", at(1));
    store.commit(write).await.unwrap();
    let mut states = Vec::new();
    for token in ["one", "two", "spelled", "mail", "other"] {
        states.push(state(store, token, 2).await.unwrap());
    }
    assert_eq!(
        states,
        [
            TicketState::Used,
            TicketState::Used,
            TicketState::Used,
            TicketState::Open,
            TicketState::Open
        ]
    );
    let mut write = store.write();
    write.forget_tickets(at(100));
    store.commit(write).await.unwrap();
    assert_eq!(state(store, "other", 2).await, Some(TicketState::Open));
    let mut write = store.write();
    write.forget_tickets(at(101));
    store.commit(write).await.unwrap();
    assert_eq!(state(store, "other", 2).await, None);
}

pub async fn a_raced_ticket_is_used_once(store: &Bench) {
    insert(store, &ticket("t", Purpose::Password)).await;
    let outcomes = store
        .race(20, |store, _| async move { use_up(&store, "t", 1).await })
        .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Ok(()) | Err(StoreError::Stale { .. }))),
        "{outcomes:?}"
    );
}

pub async fn a_deleted_user_or_connection_takes_its_tickets(store: &Bench) {
    let connection = put_connection(store, "main").await;
    let user = put_user(store, &connection, "1", "a@x.org").await;
    let mine = Ticket {
        user: Some(user.row),
        connection: connection.id.clone(),
        ..ticket("mine", Purpose::Email)
    };
    let nobodys = Ticket {
        connection: connection.id.clone(),
        ..ticket("nobodys", Purpose::Password)
    };
    insert(store, &mine).await;
    insert(store, &nobodys).await;
    let mut write = store.write();
    write.delete_user(user.row);
    store.commit(write).await.unwrap();
    assert_eq!(state(store, "mine", 1).await, None);
    let mut write = store.write();
    write.delete_connection(&connection.id, at(1));
    store.commit(write).await.unwrap();
    assert_eq!(state(store, "nobodys", 1).await, None);
}
