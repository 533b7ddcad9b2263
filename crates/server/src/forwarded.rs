//! Who calls, where a proxy of the operator's stands between.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

/// The address that the nearest proxy saw: the last of the last `X-Forwarded-For` line. What stands
/// before it may have come from anybody. None when it is no address.
pub fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let line = headers.get_all("x-forwarded-for").iter().next_back()?;
    let last = line.to_str().ok()?.rsplit(',').next()?.trim();
    let with_port = last.parse::<SocketAddr>().map(|address| address.ip());
    let bare = last
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = with_port.or_else(|_| bare.unwrap_or(last).parse());
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        forwarded(&headers).map(|address| address.to_string())
    }

    #[test]
    fn the_last_address_of_the_last_line_counts() {
        for (lines, expected) in [
            (&["203.0.113.9"] as &[_], Some("203.0.113.9")),
            (&["198.51.100.7, 203.0.113.9 "], Some("203.0.113.9")),
            (&["198.51.100.7", "203.0.113.9"], Some("203.0.113.9")),
            (&["203.0.113.9:4711"], Some("203.0.113.9")),
            (&["2001:db8::1"], Some("2001:db8::1")),
            (&["[2001:DB8::1]"], Some("2001:db8::1")),
            (&["[2001:db8::1]:4711"], Some("2001:db8::1")),
            (&["::ffff:203.0.113.9"], Some("203.0.113.9")),
            (&["[::ffff:203.0.113.9]:80"], Some("203.0.113.9")),
            (&[], None),
            (&[""], None),
            (&["203.0.113.9,"], None),
            (&["203.0.113.9", "unknown"], None),
            (&["203.0.113.9\", \"x"], None),
        ] {
            assert_eq!(read(lines).as_deref(), expected, "{lines:?}");
        }
    }
}
