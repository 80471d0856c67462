//! Decimal arithmetic for `addf` and its kin, as `github.com/shopspring/decimal` does it.

use num_bigint_dig::{BigInt, Sign};

/// The digits after the point that a division gives.
const DIVISION_PRECISION: i32 = 16;

/// A number `coefficient × 10^exponent`.
#[derive(Clone, Debug)]
pub(super) struct Decimal {
    coefficient: BigInt,
    exponent: i32,
}

impl Decimal {
    /// The shortest decimal that reads as this float; `NewFromFloat`, which panics on what is not a number.
    pub(super) fn new(number: f64) -> Result<Self, String> {
        if !number.is_finite() {
            let shown = if number.is_nan() {
                "NaN"
            } else if number > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            return Err(format!("Cannot create a Decimal from {shown}"));
        }
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let coefficient = format!("{whole}{fraction}").parse::<i64>().unwrap_or(0);
        let places = i32::try_from(fraction.len()).unwrap_or(0);
        Ok(Self { coefficient: coefficient.into(), exponent: exponent.parse::<i32>().unwrap_or(0) - places })
    }

    /// The sum.
    pub(super) fn add(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self { coefficient: self.at(exponent) + other.at(exponent), exponent }
    }

    /// The difference.
    pub(super) fn sub(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self { coefficient: self.at(exponent) - other.at(exponent), exponent }
    }

    /// The product.
    pub(super) fn mul(&self, other: &Self) -> Self {
        Self { coefficient: &self.coefficient * &other.coefficient, exponent: self.exponent.saturating_add(other.exponent) }
    }

    /// The quotient, rounded to 16 digits after the point, halves away from zero.
    pub(super) fn div(&self, other: &Self) -> Result<Self, String> {
        if other.coefficient.sign() == Sign::NoSign {
            return Err("decimal division by 0".to_owned());
        }
        let shift = i64::from(self.exponent) - i64::from(other.exponent) + i64::from(DIVISION_PRECISION);
        let (above, below) = match u32::try_from(shift) {
            Ok(shift) => (&self.coefficient * ten_to(shift), other.coefficient.clone()),
            Err(_) => (self.coefficient.clone(), &other.coefficient * ten_to(u32::try_from(-shift).unwrap_or(0))),
        };
        let quotient = &above / &below;
        let rest = &above - &quotient * &below;
        let twice = magnitude(rest * 2);
        let coefficient = if twice < magnitude(below.clone()) {
            quotient
        } else if (above.sign() == Sign::Minus) == (below.sign() == Sign::Minus) {
            quotient + 1
        } else {
            quotient - 1
        };
        Ok(Self { coefficient, exponent: -DIVISION_PRECISION })
    }

    /// The nearest float.
    pub(super) fn to_float(&self) -> f64 {
        format!("{}e{}", self.coefficient, self.exponent).parse().unwrap_or(f64::NAN)
    }

    fn at(&self, exponent: i32) -> BigInt {
        &self.coefficient * ten_to(u32::try_from(self.exponent.saturating_sub(exponent)).unwrap_or(0))
    }
}

fn magnitude(number: BigInt) -> BigInt {
    if number.sign() == Sign::Minus { -number } else { number }
}

fn ten_to(exponent: u32) -> BigInt {
    let mut power = BigInt::from(1);
    let mut base = BigInt::from(10);
    let mut left = exponent;
    while left > 0 {
        if left & 1 == 1 {
            power *= &base;
        }
        left >>= 1;
        if left > 0 {
            base = &base * &base;
        }
    }
    power
}
