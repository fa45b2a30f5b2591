//! The dates of a certificate: just enough of X.509 to read until when it is valid.

use jiff::Timestamp;
use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

/// Returns when the first certificate of a PEM file (the server's own) ceases to be valid.
pub fn not_after(pem: &str) -> Option<Timestamp> {
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let (mut whole, _) = element(&certificate, SEQUENCE)?;
    let mut body = take(&mut whole, SEQUENCE)?;
    if body.first() == Some(&VERSION) {
        take(&mut body, VERSION)?;
    }
    take(&mut body, INTEGER)?; // serial number
    take(&mut body, SEQUENCE)?; // signature algorithm
    take(&mut body, SEQUENCE)?; // issuer
    let mut validity = take(&mut body, SEQUENCE)?;
    time(&mut validity)?;
    time(&mut validity)
}

/// Takes one element of a tag off the front and returns its content.
fn take<'d>(data: &mut &'d [u8], tag: u8) -> Option<&'d [u8]> {
    let (content, rest) = element(data, tag)?;
    *data = rest;
    Some(content)
}

/// Splits DER into the content of its first element, which must have this tag, and the rest.
fn element(data: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = data.split_first()?;
    let (&short, rest) = rest.split_first()?;
    if first != tag {
        return None;
    }
    if short < 0x80 {
        return rest.split_at_checked(usize::from(short));
    }
    let (bytes, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
    if bytes.is_empty() || bytes.len() > 4 {
        return None;
    }
    let length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}

/// Reads `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`.
fn time(data: &mut &[u8]) -> Option<Timestamp> {
    let short = *data.first()? == UTC_TIME;
    let text = std::str::from_utf8(take(data, if short { UTC_TIME } else { GENERALIZED_TIME })?).ok()?;
    let (year, rest) = text.split_at_checked(if short { 2 } else { 4 })?;
    let year: i16 = year.parse().ok()?;
    let year = if short { year + if year < 50 { 2000 } else { 1900 } } else { year };
    let part = |index: usize| rest.get(index..index + 2)?.parse::<i8>().ok();
    let day: DateTime =
        date(year.clamp(1, 9999), 1, 1).with().month(part(0)?).day(part(2)?).build().ok()?.at(0, 0, 0, 0);
    let moment = day.with().hour(part(4)?).minute(part(6)?).second(part(8)?).build().ok()?;
    moment.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
