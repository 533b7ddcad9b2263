//! The one table that a run prints.

use std::fmt::Write as _;

use crate::statistics::{ratio, spread};

/// Lines so far, and remarks below them.
pub struct Table {
    cores: usize,
    lines: Vec<[String; 6]>,
    remarks: Vec<String>,
}

impl Table {
    /// An empty table of a machine with so many cores.
    pub const fn new(cores: usize) -> Self {
        Self {
            cores,
            lines: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// A rate beside its bare baseline: the ratio must reach the target.
    pub fn compare(&mut self, name: &str, measured: &[f64], bare: &[f64], target: f64) {
        let reached = ratio(measured, bare);
        self.push([
            name.to_owned(),
            spread(measured),
            spread(bare),
            format!("{reached:.2}"),
            format!("≥ {target}"),
            verdict(reached >= target),
        ]);
    }

    /// A cost beside another's: the ratio must stay below the target or meet it.
    pub fn at_most(&mut self, name: &str, measured: &[f64], bare: &[f64], target: f64) {
        let reached = ratio(measured, bare);
        self.push([
            name.to_owned(),
            spread(measured),
            spread(bare),
            format!("{reached:.2}"),
            format!("≤ {target}"),
            verdict(reached <= target),
        ]);
    }

    /// A value with a floor.
    pub fn at_least(&mut self, name: &str, value: f64, measured: String, target: f64) {
        let verdict = verdict(value >= target);
        self.push([
            name.to_owned(),
            measured,
            "–".into(),
            format!("{value:.2}"),
            format!("≥ {target}"),
            verdict,
        ]);
    }

    /// A value with a ceiling, in some unit; `bare` is what it was taken from, if anything.
    pub fn below(&mut self, name: &str, values: &[f64], bare: &str, ceiling: f64, unit: &str) {
        let value = crate::statistics::median(values);
        let measured = format!("{} {unit}", spread(values));
        let target = format!("< {ceiling} {unit}");
        self.push([
            name.to_owned(),
            measured,
            bare.to_owned(),
            "–".into(),
            target,
            verdict(value < ceiling),
        ]);
    }

    /// A line below the table.
    pub fn remark(&mut self, text: String) {
        eprintln!("bench:   {text}");
        self.remarks.push(text);
    }

    fn push(&mut self, line: [String; 6]) {
        eprintln!("bench:   {}", line.join(" | "));
        self.lines.push(line);
    }

    /// The table as text.
    pub fn text(&self) -> String {
        let head = ["line", "measured", "bare", "ratio", "target", ""].map(str::to_owned);
        let all: Vec<&[String; 6]> = std::iter::once(&head).chain(&self.lines).collect();
        let width = |column: usize| {
            let cells = all.iter().filter_map(|line| line.get(column));
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or_default()
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let mut text = format!(
            "\n{} cores; rates per second; medians [least–most]\n\n",
            self.cores
        );
        for (place, line) in all.iter().enumerate() {
            for (cell, width) in line.iter().zip(&widths) {
                let _ = write!(text, "| {cell:width$} ");
            }
            text.push_str("|\n");
            if place == 0 {
                for width in &widths {
                    let _ = write!(text, "|{}", "-".repeat(width + 2));
                }
                text.push_str("|\n");
            }
        }
        text.push('\n');
        for remark in &self.remarks {
            let _ = writeln!(text, "- {remark}");
        }
        text
    }
}

fn verdict(holds: bool) -> String {
    if holds { "holds" } else { "MISSES" }.to_owned()
}
