//! Lists in their two documented forms: a page by offset, or what follows a checkpoint.

use domain::{Listing, Page};

/// Which part of a list is asked for.
#[derive(Clone, Debug)]
pub enum Slice {
    /// A page by its number.
    Page(Page),
    /// So many elements after a key; the first ones when there is no key.
    After {
        /// The key of the last element seen.
        key: Option<String>,
        /// How many.
        take: u32,
    },
}

/// A part of a list.
#[derive(Debug)]
pub struct Listed<T> {
    /// The elements.
    pub items: Vec<T>,
    /// How many there are in the whole list.
    pub total: i64,
    /// The key to go on after; `None` on the last part, and for pages.
    pub next: Option<String>,
}

impl Slice {
    /// The page and key to ask the store with: one element more than wanted, to see whether the
    /// list goes on.
    pub(crate) fn request(&self) -> (Page, Option<&str>) {
        match self {
            Self::Page(page) => (*page, None),
            Self::After { key, take } => {
                let size = take.saturating_add(1);
                (Page { number: 0, size }, key.as_deref())
            }
        }
    }

    /// What the store answered to [`Slice::request`], cut to what was asked for.
    pub(crate) fn cut<T>(&self, listing: Listing<T>, key: impl Fn(&T) -> String) -> Listed<T> {
        let total = listing.total.unwrap_or(0);
        let mut items = listing.items;
        let mut next = None;
        if let Self::After { take, .. } = self {
            let take = usize::try_from(*take).unwrap_or(usize::MAX);
            if items.len() > take {
                items.truncate(take);
                next = items.last().map(&key);
            }
        }
        Listed { items, total, next }
    }

    /// The part of a whole list, sorted by its keys, that is asked for.
    pub(crate) fn of<T>(&self, all: Vec<T>, key: impl Fn(&T) -> String) -> Listed<T> {
        let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
        let (page, after) = self.request();
        let skip = usize::try_from(page.offset()).unwrap_or(usize::MAX);
        let size = usize::try_from(page.size).unwrap_or(usize::MAX);
        let items = all
            .into_iter()
            .filter(|item| after.is_none_or(|after| key(item).as_str() > after))
            .skip(skip)
            .take(size)
            .collect();
        self.cut(
            Listing {
                items,
                total: Some(total),
            },
            key,
        )
    }
}

impl<T> Listed<T> {
    /// The same part with other elements.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Listed<U> {
        Listed {
            items: self.items.into_iter().map(change).collect(),
            total: self.total,
            next: self.next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(slice: &Slice) -> (String, Option<String>) {
        let listed = slice.of(vec!["a", "b", "c"], |letter| (*letter).to_owned());
        assert_eq!(listed.total, 3);
        (listed.items.concat(), listed.next)
    }

    #[test]
    fn a_checkpoint_leads_through_the_whole_list() {
        let after = |key: Option<&str>, take| Slice::After {
            key: key.map(str::to_owned),
            take,
        };
        assert_eq!(part(&after(None, 2)), ("ab".into(), Some("b".into())));
        assert_eq!(part(&after(Some("b"), 2)), ("c".into(), None));
        assert_eq!(part(&after(None, 3)), ("abc".into(), None));
        assert_eq!(part(&after(Some("c"), 3)), (String::new(), None));
        let page = Slice::Page(Page { number: 1, size: 2 });
        assert_eq!(part(&page), ("c".into(), None));
    }
}
