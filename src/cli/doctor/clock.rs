//! Our clock beside the clocks of those who judge our signatures.

use super::check::Check;
use crate::object::Timestamp;

/// Azure and S3 refuse signatures that are 15 minutes off; a clock that is this far off is not kept.
const PROBLEM_SECONDS: i64 = 300;
/// More than a slow answer explains.
const WARNING_SECONDS: i64 = 30;

/// Compares our clock with the `Date` of an answer that has just come.
pub fn check(name: String, date: Option<&str>) -> Check {
    let Some(theirs) = date.and_then(Timestamp::parse_http) else {
        return Check::warning(
            name,
            "the answer has no date",
            "Compare the clock of this machine with another one by hand.",
        );
    };
    judge(name, Timestamp::now().seconds_since(theirs))
}

fn judge(name: String, ahead: i64) -> Check {
    let found = match ahead {
        0 => "our clock agrees to the second".to_owned(),
        ahead if ahead > 0 => format!("our clock is {ahead} s ahead"),
        behind => format!("our clock is {} s behind", -behind),
    };
    let remedy = "Let NTP (chrony, systemd-timesyncd or the hypervisor) keep the clock of this machine or node: signatures and tokens are refused when it is off.";
    match ahead.abs() {
        off if off > PROBLEM_SECONDS => Check::problem(name, found, remedy),
        off if off > WARNING_SECONDS => Check::warning(name, found, remedy),
        _ => Check::ok(name, found),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Level;
    use super::*;

    #[test]
    fn a_clock_may_be_minutes_off_and_no_more() {
        for (ahead, level) in [
            (0, Level::Ok),
            (-30, Level::Ok),
            (31, Level::Warning),
            (-300, Level::Warning),
            (301, Level::Problem),
            (-86_400, Level::Problem),
        ] {
            let check = judge("azure/clock".into(), ahead);
            assert_eq!(check.result, level, "{ahead}");
            assert_eq!(check.remedy.is_some(), level != Level::Ok);
        }
        assert_eq!(check("x".into(), Some("yesterday")).result, Level::Warning);
    }
}
