//! Floats in JSON: `floatEncoder` of encoding/json.

use crate::helm::func::FuncError;
use crate::helm::strconv;

/// A float as JSON: without exponent from 1e-6 up to 1e21, as JavaScript does.
pub fn format_float(number: f64) -> Result<String, FuncError> {
    if !number.is_finite() {
        return Err(FuncError::new(format!("json: unsupported value: {}", strconv::format_float(number, b'g', -1))));
    }
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = strconv::format_float(number, b'e', -1);
        // e-09 becomes e-9.
        return Ok(match text.split_once("e-0") {
            Some((mantissa, exponent)) => format!("{mantissa}e-{exponent}"),
            None => text,
        });
    }
    Ok(strconv::format_float(number, b'f', -1))
}

/// `strconv.FormatFloat(number, 'g', -1, 32)`: what sigs.k8s.io/yaml makes of a float where a string is wanted.
#[must_use]
pub fn format_float32(number: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest float32 is what is asked for")]
    let short = number as f32;
    // The shortest digits of the float32, read as a float64, print as themselves.
    let digits: f64 = short.to_string().parse().unwrap_or(number);
    strconv::format_float(digits, b'g', -1)
}
