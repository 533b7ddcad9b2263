//! Pages of a list: the documented offsets and their limits.

/// One page by offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Zero-based number.
    pub number: u32,
    /// Elements on a page, 0–100.
    pub size: u32,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            number: 0,
            size: 50,
        }
    }
}

impl Page {
    /// Elements before this page.
    pub fn offset(self) -> i64 {
        i64::from(self.number) * i64::from(self.size)
    }
}

/// A page's elements, with the number of all when it was asked for.
#[derive(Debug)]
pub struct Listing<T> {
    /// The elements.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: Option<i64>,
}
