//! Fast imported hashes under a slow one, while others come and go.

use std::sync::Arc;
use std::time::Duration;

use domain::{HashText, JobStatus, Password};
use engine::FastHashes;
use password::{PasswordHash, Scheme};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::import_rig::{Kind, Rig};

crate::on_both_databases!(
    what_an_import_brings_is_wrapped_soon,
    a_login_is_never_undone,
    a_crash_between_pages_loses_no_hash,
    an_upsert_still_replaces_a_wrapped_hash,
);

const SMALL: Scheme = Scheme::Argon2id {
    memory_kib: 8,
    iterations: 1,
    parallelism: 1,
};

/// Users with fast hashes of `password<n>`, in several families, and one slow hash.
fn users(count: usize, word: &str) -> Vec<u8> {
    use md5::Digest as _;
    let rows = (0..count).map(|number| {
        let password = format!("{word}{number}");
        let md5 = hex::encode(md5::Md5::digest(&password));
        let sha = hex::encode(sha2::Sha256::digest(format!("{password}salt")));
        let hash = match number % 3 {
            0 => json!({"algorithm": "md5", "hash": {"value": md5, "encoding": "hex"}}),
            1 => json!({"algorithm": "sha256", "hash": {"value": sha, "encoding": "hex"},
                "salt": {"value": "salt", "position": "suffix"}}),
            _ => {
                let hash = SMALL
                    .hash(&Password::from(password), &domain_entropy())
                    .unwrap();
                json!({"algorithm": "argon2", "hash": {"value": hash.to_stored().expose()}})
            }
        };
        json!({"user_id": format!("{number:05}"), "email": format!("u{number}@example.com"),
            "custom_password_hash": hash})
        .to_string()
    });
    rows.collect::<Vec<_>>().join("\n").into_bytes()
}

struct Fixed;

impl domain::Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(3);
    }
}

fn domain_entropy() -> Fixed {
    Fixed
}

async fn rig(kind: Kind) -> Rig {
    Rig::open_with(kind, |settings| settings.scheme = SMALL).await
}

async fn import(rig: &mut Rig, file: &[u8], upsert: bool) {
    let mut request = rig.request();
    request.upsert = upsert;
    let job = rig.import_as(file, request).await;
    assert_eq!(job.status, JobStatus::Completed);
    assert_eq!(job.counters.failed, 0, "{}", rig.report(&job.id).await);
    rig.rest().await;
}

async fn hashes(rig: &Rig) -> Vec<(domain::UserRow, HashText)> {
    let found =
        rig.engine
            .store
            .list_credentials_after(&rig.connection, domain::UserRow(0), 10_000);
    let mut found: Vec<_> = found.await.unwrap();
    found.sort_by(|one, other| one.user.user_id.as_str().cmp(other.user.user_id.as_str()));
    let hash = |exported: store::ExportedUser| (exported.user.row, exported.hash.unwrap());
    found.into_iter().map(hash).collect()
}

async fn assert_all_verify(rig: &Rig, word: &str) {
    for (number, (_, hash)) in hashes(rig).await.into_iter().enumerate() {
        let hash = PasswordHash::from_stored(&hash).unwrap();
        let password = Password::from(format!("{word}{number}"));
        assert!(hash.verify(&password), "{number}");
        assert!(!hash.verify(&Password::from("wrong")), "{number}");
    }
}

async fn count(rig: &Rig) -> (i64, i64) {
    let FastHashes { fast, wrapped } = rig.engine.count_fast_hashes().await.unwrap();
    (fast, wrapped)
}

async fn what_an_import_brings_is_wrapped_soon(kind: Kind) {
    let mut rig = rig(kind).await;
    let stop = CancellationToken::new();
    let wrapping = tokio::spawn(Arc::clone(&rig.engine).run_wrapping(stop.clone()));
    import(&mut rig, &users(120, "password"), false).await;
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while rig.engine.wrapped_hashes() < 80 {
        assert!(
            std::time::Instant::now() < deadline,
            "{:?}",
            count(&rig).await
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(count(&rig).await, (0, 80));
    stop.cancel();
    wrapping.await.unwrap();
    assert_all_verify(&rig, "password").await;
    let off = rig.reopen(|settings| settings.wrap_imported = false).await;
    Arc::clone(&off.engine)
        .run_wrapping(CancellationToken::new())
        .await;
}

/// Logins replace hashes by their own while two servers wrap the same ones.
async fn a_login_is_never_undone(kind: Kind) {
    let mut rig = rig(kind).await;
    import(&mut rig, &users(90, "password"), false).await;
    let other = rig.reopen(|settings| settings.scheme = SMALL).await;
    let read = hashes(&rig).await;
    let logins = async {
        for (number, (row, seen)) in read.iter().enumerate() {
            let password = Password::from(format!("password{number}"));
            let own = SMALL.hash(&password, &Fixed).unwrap().to_stored();
            let mut write = rig.engine.store.write();
            write.refresh_password(*row, &rig.connection, seen, &own);
            rig.engine.store.commit(write).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let (one, two, ()) = tokio::join!(rig.engine.wrap_all(), other.engine.wrap_all(), logins);
    one.unwrap();
    two.unwrap();
    let (fast, wrapped) = count(&rig).await;
    assert_eq!(fast, 0);
    let after = hashes(&rig).await;
    let own = after
        .iter()
        .filter(|(_, hash)| hash.expose().starts_with("$argon2id$"));
    let slow = i64::try_from(own.count()).unwrap();
    assert_eq!(
        wrapped + slow,
        90,
        "each is ours, or will be at its next login"
    );
    assert_all_verify(&rig, "password").await;
    // What was wrapped before its login came is replaced by the next.
    for (number, (row, seen)) in after.iter().enumerate() {
        let password = Password::from(format!("password{number}"));
        let own = SMALL.hash(&password, &Fixed).unwrap().to_stored();
        let mut write = rig.engine.store.write();
        write.refresh_password(*row, &rig.connection, seen, &own);
        rig.engine.store.commit(write).await.unwrap();
    }
    rig.engine.wrap_all().await.unwrap();
    assert_eq!(count(&rig).await, (0, 0));
    assert_all_verify(&rig, "password").await;
}

async fn a_crash_between_pages_loses_no_hash(kind: Kind) {
    let mut rig = rig(kind).await;
    import(&mut rig, &users(300, "password"), false).await;
    assert_eq!(count(&rig).await, (200, 0));
    for pause in [1, 5, 20, 60, 150] {
        let stop = CancellationToken::new();
        let wrapping = tokio::spawn(Arc::clone(&rig.engine).run_wrapping(stop));
        tokio::time::sleep(Duration::from_millis(pause)).await;
        wrapping.abort();
        let _ = wrapping.await;
        let (fast, wrapped) = count(&rig).await;
        assert_eq!(fast + wrapped, 200);
    }
    rig.engine.wrap_all().await.unwrap();
    assert_eq!(count(&rig).await, (0, 200));
    assert_all_verify(&rig, "password").await;
}

async fn an_upsert_still_replaces_a_wrapped_hash(kind: Kind) {
    let mut rig = rig(kind).await;
    import(&mut rig, &users(30, "before"), false).await;
    rig.engine.wrap_all().await.unwrap();
    assert_all_verify(&rig, "before").await;
    import(&mut rig, &users(30, "after"), true).await;
    assert_all_verify(&rig, "after").await;
    assert_eq!(count(&rig).await, (20, 0));
}
