//! Tenant-wide settings, and the proof that the master key is the one that sealed this store.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::db::one;
use crate::error::{Result, StoreError};
use crate::{Store, Write, first};

const PROOF: &str = "master_key_proof";

const PLACE: &str = "settings.value";

impl Store {
    /// A setting; `None` when never set.
    pub async fn find_setting(&self, name: &str) -> Result<Option<String>> {
        let sql = "select value from settings where name = $1";
        let row = first(self.db.lookup(sql, vec![name.into()]).await?);
        row.map(|mut row| row.text("value")).transpose()
    }

    /// A setting that holds secrets: as it is stored, and opened.
    pub async fn find_sealed_setting(
        &self,
        name: &str,
    ) -> Result<Option<(String, Zeroizing<String>)>> {
        let Some(stored) = self.find_setting(name).await? else {
            return Ok(None);
        };
        let sealed = STANDARD.decode(&stored).unwrap_or_default();
        let opened = self.seal.open_text(PLACE, name, &sealed)?;
        Ok(Some((stored, opened)))
    }

    /// Refuses a store that another master key sealed: before anything is read or written.
    pub(crate) async fn prove_master_key(&self) -> Result<()> {
        loop {
            if let Some(proof) = self.find_setting(PROOF).await? {
                let sealed = STANDARD.decode(proof).unwrap_or_default();
                let opened = self.seal.open(PLACE, PROOF, &sealed);
                return opened.map(drop).map_err(|_| {
                    StoreError::Schema(
                        "the master key is not the one that sealed this store".into(),
                    )
                });
            }
            let mut write = self.write();
            let sealed = write.sealed(PLACE, PROOF, b"ferry")?;
            write.push(one(
                "insert into settings (name, value) values ($1, $2)",
                vec![PROOF.into(), STANDARD.encode(sealed).into()],
            ));
            match self.commit(write).await {
                Ok(()) | Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Write {
    /// Sets a setting.
    pub fn set_setting(&mut self, name: &str, value: &str) -> &mut Self {
        self.push(one(
            "insert into settings (name, value) values ($1, $2) \
             on conflict (name) do update set value = excluded.value",
            vec![name.into(), value.into()],
        ))
    }

    /// Changes a setting that holds secrets, as [`Write::change_setting`] does.
    pub fn change_sealed_setting(
        &mut self,
        name: &str,
        before: Option<&str>,
        after: &str,
    ) -> Result<&mut Self> {
        let sealed = self.sealed(PLACE, name, after.as_bytes())?;
        Ok(self.change_setting(name, before, &STANDARD.encode(sealed)))
    }

    /// Removes a setting that was read before.
    pub fn remove_setting(&mut self, name: &str, before: &str) -> &mut Self {
        self.push(one(
            "delete from settings where name = $1 and value = $2",
            vec![name.into(), before.into()],
        ))
    }

    /// Changes a setting that was read before; another value by then is a conflict or stale.
    pub fn change_setting(&mut self, name: &str, before: Option<&str>, after: &str) -> &mut Self {
        self.push(match before {
            None => one(
                "insert into settings (name, value) values ($1, $2)",
                vec![name.into(), after.into()],
            ),
            Some(before) => one(
                "update settings set value = $3 where name = $1 and value = $2",
                vec![name.into(), before.into(), after.into()],
            ),
        })
    }
}
