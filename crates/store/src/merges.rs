//! What a job's rows did to users who were here already, one record a merged user.

use domain::conflict::Trail;
use domain::{JobId, UserId};

use crate::db::{Row, Stmt, any, one};
use crate::error::Result;
use crate::{Store, Write};

/// The record of one merged user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMerge {
    /// Number of the row in the file, from 1.
    pub row: i64,
    /// The user it was merged into.
    pub user_id: UserId,
    /// Names of fields.
    pub trail: Trail,
}

impl Store {
    /// Records of a job in file order, those after a row's number.
    pub async fn list_merges_after(
        &self,
        id: &JobId,
        row: i64,
        limit: u32,
    ) -> Result<Vec<StoredMerge>> {
        let sql = "select row_number, user_id, fields from job_merges \
                   where job_id = $1 and row_number > $2 order by row_number limit $3";
        let params = vec![id.into(), row.into(), i64::from(limit).into()];
        let rows = self.db.query(sql, params).await?;
        rows.into_iter().map(merge).collect()
    }
}

fn merge(mut row: Row) -> Result<StoredMerge> {
    let number = row.int("row_number")?;
    let user_id = row.text("user_id")?.into();
    let [kept, taken, left_over]: [Vec<String>; 3] = row.json("fields")?;
    let named = |names: Vec<String>| names.iter().filter_map(|name| Trail::name(name)).collect();
    Ok(StoredMerge {
        row: number,
        user_id,
        trail: Trail {
            kept: named(kept),
            taken: named(taken),
            left_over: named(left_over),
        },
    })
}

pub(crate) fn insert_merge(job: &JobId, merge: &StoredMerge) -> Stmt {
    let trail = &merge.trail;
    let fields = [&trail.kept, &trail.taken, &trail.left_over];
    one(
        "insert into job_merges (job_id, row_number, user_id, fields) values ($1, $2, $3, $4)",
        vec![
            job.into(),
            merge.row.into(),
            (&merge.user_id).into(),
            crate::write::stored(&fields).into(),
        ],
    )
}

impl Write {
    /// Forgets the records of a job.
    pub(crate) fn forget_merges(&mut self, id: &JobId) -> &mut Self {
        self.push(any(
            "delete from job_merges where job_id = $1",
            vec![id.into()],
        ))
    }

    /// Forgets which users a job has met.
    pub(crate) fn forget_marks(&mut self, id: &JobId) -> &mut Self {
        self.push(any(
            "delete from job_marks where job_id = $1",
            vec![id.into()],
        ))
    }
}
