use proptest::prelude::*;

/// Pieces in any order behind the bytes that say how to read them.
fn inputs(
    pieces: &'static [&'static str],
    most: usize,
    control: usize,
) -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::collection::vec(prop::sample::select(pieces), 0..most);
    let noise = prop::collection::vec(any::<u8>(), 0..4);
    (
        prop::collection::vec(any::<u8>(), control),
        pieces,
        noise,
        any::<u8>(),
    )
        .prop_map(|(control, pieces, noise, at)| {
            let mut text = pieces.concat().into_bytes();
            let at = usize::from(at).min(text.len());
            text.splice(at..at, noise);
            [control, text].concat()
        })
}

const JSON: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"",
    "\\",
    "\n",
    "\r\n",
    " ",
    "\t",
    "\u{feff}",
    "null",
    "7",
    "{\"email\":\"a@b.co\"}",
    ",{\"email\":\"B@b.co\",\"user_metadata\":{\"a\":[1]}}",
    "{\"email\":\"c@b.co\",\"name\":\"                                        \"}\n",
    "{\"email\":\"d@b.co\",\"password_hash\":\"$1$38652870$DUjsu4TTlTsOe/xxZ05uf/\"}\n",
    "{\"email\":\"e\",\"password_hash\":\"S3CRET-S3CRET\"}",
    "                        ",
    "email,name\n",
];

const CSV: &[&str] = &[
    "email",
    "name",
    "user_metadata.plan",
    "app_metadata",
    "blocked",
    "password_hash",
    ",",
    ";",
    "\"",
    "\"\"",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\0",
    "\u{feff}",
    "a@b.co",
    "yes",
    "{}",
    "é",
    "12",
    "email,name\na@b.co,A\n",
    "email\n\"b@b.co\"\n",
    "                                  ",
    "{\"columns\":{\"1\":\"email\"},\"header\":false}\n",
    "{\"others\":\"ignore\"}\n",
    "{\"columns\":{\"name\":\"custom_password_hash.hash.value\"},\"constants\":{\"custom_password_hash.algorithm\":\"md5\"}}\n",
];

const TEXT: &[&str] = &[
    "{\"email\":\"a@b.co\"}\n",
    "é",
    "👍",
    "\0",
    "\u{feff}",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_json_keeps_the_promises(input in inputs(JSON, 24, 2)) {
        super::json(&input);
    }

    #[test]
    fn any_csv_keeps_the_promises(input in inputs(CSV, 24, 2)) {
        super::csv(&input);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_packing_keeps_the_promises(input in inputs(TEXT, 60, 3)) {
        super::unpack(&input);
    }
}

/// Two empty frames with a damaged size, which the library sees only in a frame that it has whole.
#[test]
fn damaged_frames_may_pass_in_pieces() {
    super::unpack(&[0x90, 7, 0x7A]);
}

#[test]
fn the_entry_points_take_and_refuse_rows() {
    assert!(super::row(br#"{"email":"a@b.co"}"#));
    assert!(!super::row(br#"{"email":"a"}"#));
    assert!(!super::row(b"\xFF"));
}
