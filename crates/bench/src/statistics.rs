//! Medians, and numbers as people write them.

use std::time::Duration;

/// The middle of some values; zero when there are none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle).copied().unwrap_or_default();
    if sorted.len() % 2 == 1 {
        return upper;
    }
    let lower = sorted
        .get(middle.wrapping_sub(1))
        .copied()
        .unwrap_or_default();
    f64::midpoint(lower, upper)
}

/// The median of spans of time, in milliseconds.
pub fn median_ms(spans: &[Duration]) -> f64 {
    let millis: Vec<f64> = spans
        .iter()
        .map(|span| span.as_secs_f64() * 1000.0)
        .collect();
    median(&millis)
}

/// The value that so many in a hundred do not exceed; zero when there are none.
pub fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

/// The quotients of two series whose values were measured in turns; their median is the ratio.
pub fn ratio(measured: &[f64], bare: &[f64]) -> f64 {
    let quotients: Vec<f64> = measured
        .iter()
        .zip(bare)
        .map(|(one, other)| one / other)
        .collect();
    median(&quotients)
}

/// Welch's t of two samples: by how many standard errors their means differ, whatever their
/// variances.
pub fn welch(one: &[f64], other: &[f64]) -> f64 {
    let ((mean, error), (other_mean, other_error)) = (moments(one), moments(other));
    (mean - other_mean) / (error + other_error).sqrt()
}

/// Mean, and the variance of the mean.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = float(values.len() as u64);
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, squares / (count - 1.0) / count)
}

/// A count as a float: none here is so large that digits are lost.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
pub const fn float(count: u64) -> f64 {
    count as f64
}

/// How many in a second.
pub fn rate(count: u64, span: Duration) -> f64 {
    float(count) / span.as_secs_f64().max(1e-9)
}

/// `123456.7` as `123,457`; small numbers keep a digit.
pub fn shown(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Median, least and most of a series: `123 [120–130]`.
pub fn spread(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!(
        "{} [{}–{}]",
        shown(median(values)),
        shown(least),
        shown(most)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_shown_numbers() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0]) - 2.5).abs() < 1e-9);
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert!((percentile(&hundred, 99) - 99.0).abs() < 1e-9);
        assert!((percentile(&[5.0, 4.0], 99) - 5.0).abs() < 1e-9);
        assert_eq!(shown(1_234_567.2), "1,234,567");
        assert_eq!(shown(123.4), "123");
        assert_eq!(shown(7.25), "7.2");
    }
}
