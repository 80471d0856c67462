//! The proleptic Gregorian calendar, for all of an i64.

/// Date and clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::helm::func) struct Civil {
    pub(in crate::helm::func) year: i64,
    /// 1 to 12.
    pub(in crate::helm::func) month: i64,
    /// 1 to 31.
    pub(in crate::helm::func) day: i64,
    pub(in crate::helm::func) hour: i64,
    pub(in crate::helm::func) minute: i64,
    pub(in crate::helm::func) second: i64,
    /// 0 is Sunday.
    pub(in crate::helm::func) weekday: i64,
    /// 1 to 366.
    pub(in crate::helm::func) year_day: i64,
}

/// The days from 1970-01-01 to a date. Years begin in March here, so that a leap day is a year's last.
pub(in crate::helm::func) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year.wrapping_sub(1) } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era.wrapping_mul(146_097).wrapping_add(day_of_era - 719_468)
}

/// Date and clock of so many seconds since 1970, in the same zone.
pub(in crate::helm::func) fn civil(unix: i64) -> Civil {
    let (day, clock) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil {
        year,
        month,
        day: of_year - (153 * shifted_month + 2) / 5 + 1,
        hour: clock / 3600,
        minute: clock / 60 % 60,
        second: clock % 60,
        weekday: (day + 4).rem_euclid(7),
        year_day: day - days(year, 1, 1) + 1,
    }
}

/// The days of a month.
pub(super) fn days_in(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days(next_year, next, 1) - days(year, month, 1)
}
