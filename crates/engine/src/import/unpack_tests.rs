use std::io::Write as _;

use super::*;

/// A file in memory, handed out a few bytes at a time.
struct Slice {
    bytes: Vec<u8>,
    at: usize,
    step: usize,
}

impl Source for Slice {
    fn fill(&mut self, buffer: &mut BytesMut) -> Result<usize, SourceError> {
        let rest = &self.bytes[self.at..];
        let part = &rest[..rest.len().min(self.step)];
        buffer.extend_from_slice(part);
        self.at += part.len();
        Ok(part.len())
    }

    fn seek(&mut self, offset: i64) {
        self.at = usize::try_from(offset).unwrap();
    }
}

fn open(bytes: &[u8], step: usize, limit: u64) -> Unpacked<Slice> {
    let source = Slice {
        bytes: bytes.to_vec(),
        at: 0,
        step,
    };
    Unpacked::new(source, limit)
}

fn rest(source: &mut Unpacked<Slice>) -> Result<Vec<u8>, SourceError> {
    let mut text = BytesMut::new();
    while source.fill(&mut text)? > 0 {}
    Ok(text.to_vec())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 3).unwrap()
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

fn text() -> String {
    let lines = (0..400).map(|n| format!("{{\"é👍\":{n}}}\n"));
    lines.collect::<Vec<_>>().concat()
}

/// The same text, packed in every way, with the mark that a UTF-16 file keeps.
fn packings() -> Vec<(&'static str, Vec<u8>, String)> {
    let text = text();
    let bytes = text.as_bytes();
    let (head, tail) = bytes.split_at(1111);
    let marked = format!("\u{feff}{text}");
    let skippable = [&[0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    vec![
        ("plain", bytes.to_vec(), text.clone()),
        ("utf16", utf16(&text), marked.clone()),
        ("gzip", gzip(bytes), text.clone()),
        (
            "gzip members",
            [gzip(head), gzip(b""), gzip(tail)].concat(),
            text.clone(),
        ),
        ("gzip utf16", gzip(&utf16(&text)), marked),
        ("zstd", zstd_of(bytes), text.clone()),
        (
            "zstd frames",
            [skippable, zstd_of(head), zstd_of(tail)].concat(),
            text,
        ),
    ]
}

#[test]
fn every_packing_gives_the_text_and_goes_on_anywhere() {
    for (name, file, text) in packings() {
        for step in [1, 7, 5000] {
            let mut source = open(&file, step, 1 << 20);
            assert_eq!(rest(&mut source).unwrap(), text.as_bytes(), "{name} {step}");
            if name != "plain" {
                let consumed = source.consumed();
                assert_eq!(consumed, Some(i64::try_from(file.len()).unwrap()), "{name}");
            }
            for offset in [0, 3, 1111, text.len() - 1, text.len()] {
                source.seek(i64::try_from(offset).unwrap());
                assert_eq!(
                    rest(&mut source).unwrap(),
                    &text.as_bytes()[offset..],
                    "{name}"
                );
            }
        }
        let mut fresh = open(&file, 64, 1 << 20);
        fresh.seek(1000);
        assert_eq!(
            rest(&mut fresh).unwrap(),
            &text.as_bytes()[1000..],
            "{name} at first"
        );
    }
}

#[test]
fn a_bomb_ends_at_the_limit() {
    for file in [gzip(&vec![b' '; 3 << 20]), zstd_of(&vec![b' '; 3 << 20])] {
        assert_eq!(
            rest(&mut open(&file, 4096, 3 << 20)).unwrap().len(),
            3 << 20
        );
        let error = rest(&mut open(&file, 4096, 1 << 20)).unwrap_err();
        let text = "The users file holds more than the 1048576 bytes allowed once it is unpacked.";
        assert_eq!(error, SourceError::Broken(text.into()));
    }
}

#[test]
fn a_file_that_is_cut_or_damaged_says_so() {
    let mut damaged = gzip(text().as_bytes());
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x55;
    let cut = |file: Vec<u8>| file[..file.len() - 5].to_vec();
    for file in [
        cut(gzip(text().as_bytes())),
        cut(zstd_of(text().as_bytes())),
        damaged,
        [gzip(b"{}"), b"and more".to_vec()].concat(),
        [zstd_of(b"{}"), b"and more".to_vec()].concat(),
    ] {
        match rest(&mut open(&file, 4096, 1 << 20)) {
            Err(SourceError::Broken(problem)) => {
                assert!(
                    problem.starts_with("The users file could not be unpacked"),
                    "{problem}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

/// An outage below is one above, too: the job waits and does not fail.
#[test]
fn what_fails_below_stays_what_it_is() {
    struct Failing(Slice);
    impl Source for Failing {
        fn fill(&mut self, buffer: &mut BytesMut) -> Result<usize, SourceError> {
            match self.0.fill(buffer)? {
                0 => Err(SourceError::Unavailable("away".into())),
                count => Ok(count),
            }
        }
        fn seek(&mut self, offset: i64) {
            self.0.seek(offset);
        }
    }
    for file in [gzip(text().as_bytes()), zstd_of(text().as_bytes())] {
        let half = file[..file.len() / 2].to_vec();
        let mut source = Unpacked::new(
            Failing(Slice {
                bytes: half,
                at: 0,
                step: 100,
            }),
            1 << 20,
        );
        let mut buffer = BytesMut::new();
        let error = loop {
            match source.fill(&mut buffer) {
                Ok(count) => assert_ne!(count, 0),
                Err(error) => break error,
            }
        };
        assert_eq!(error, SourceError::Unavailable("away".into()));
    }
}
