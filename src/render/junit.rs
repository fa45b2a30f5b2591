//! `-o junit`: for a pipeline, which shows an incident as a test that failed.
//!
//! What could not be read, is ignored, or known from the baseline is a test that was skipped; what is history or advice is one
//! that passed.

use super::look::Look;
use super::markup;
use super::text::{decided, verdict, words};
use crate::model::{Evidence, Gap, Incident, NotEvaluated, Report, Severity};
use crate::policy::Ignored;

const LOOK: Look = Look { width: 0, color: false, wide: true, unicode: true };

/// Renders a report as the XML that `JUnit` made common.
pub fn render(report: &Report) -> String {
    let mut cases: Vec<String> = report.incidents.iter().map(|one| incident(report, one)).collect();
    let failures = report.incidents.iter().filter(|incident| is_failure(report, incident)).count();
    cases.extend(report.ignored.iter().map(ignored));
    cases.extend(report.not_evaluated.iter().map(|entry| not_evaluated(report, entry)));
    cases.extend(report.gaps.iter().map(unread));
    let known = report.incidents.iter().filter(|incident| is_known(report, incident)).count();
    let skipped = report.not_evaluated.len() + report.gaps.len() + report.ignored.len() + known;
    if failures == 0 {
        // A suite without a test is taken for one that did not run.
        cases.push(case("verdict", &verdict::of(report, &LOOK), ""));
    }
    let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"", cases.len());
    let suite = markup::line(&words::scope(report, &LOOK));
    let time = report.taken_at.to_string();
    let time = markup::line(time.split(['.', 'Z']).next().unwrap_or_default());
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"kubectl rca\" {counts} time=\"0\">\n  \
         <testsuite name=\"{suite}\" {counts} time=\"0\" timestamp=\"{time}\">\n{}  </testsuite>\n</testsuites>\n",
        cases.concat()
    )
}

fn is_failure(report: &Report, incident: &Incident) -> bool {
    incident.severity > Severity::Info && !is_known(report, incident)
}

fn is_known(report: &Report, incident: &Incident) -> bool {
    incident.severity > Severity::Info && decided::is_known(report, incident) == Some(true)
}

fn ignored(one: &Ignored) -> String {
    let cause = &one.incident.cause;
    skipped(cause.rule.id, &name(&one.incident), &format!("ignored: {}", decided::words(one)))
}

fn name(incident: &Incident) -> String {
    format!("{} {}", incident.id, incident.cause.subject.object)
}

fn incident(report: &Report, incident: &Incident) -> String {
    if is_known(report, incident) {
        let message = format!("known from the baseline: {}", incident.cause.message);
        return skipped(incident.cause.rule.id, &name(incident), &message);
    }
    let cause = &incident.cause;
    let text = markup::block(&told(incident));
    let outcome = if is_failure(report, incident) {
        let message = markup::line(&cause.message);
        format!("      <failure type=\"{}\" message=\"{message}\">{text}</failure>\n", incident.severity.as_str())
    } else {
        format!("      <system-out>{text}</system-out>\n")
    };
    case(cause.rule.id, &name(incident), &outcome)
}

fn told(incident: &Incident) -> String {
    let cause = &incident.cause;
    let mut lines = vec![cause.message.clone()];
    lines.extend(cause.evidence.iter().map(observed));
    lines.extend(incident.effects.iter().map(|effect| format!("explains: {}", effect.message)));
    for advice in &cause.recommendations {
        lines.push(format!("do: {}", advice.summary));
        lines.extend(advice.command.iter().map(|command| format!("    {command}")));
    }
    lines.join("\n")
}

fn observed(evidence: &Evidence) -> String {
    format!("because: {} {} = {}", evidence.object, evidence.path, evidence.value)
}

fn not_evaluated(report: &Report, entry: &NotEvaluated) -> String {
    let gaps = entry.gaps.iter().filter_map(|&index| report.gaps.get(index));
    let reasons: Vec<String> = gaps.map(|gap| format!("{} ({})", gap.what, gap.reason.as_str())).collect();
    skipped(entry.rule, "not evaluated", &format!("could not read {}", reasons.join(", ")))
}

fn unread(gap: &Gap) -> String {
    let place = [&gap.namespace, &gap.name].into_iter().flatten().map(|word| format!("/{word}")).collect::<String>();
    skipped("gap", &format!("{}{place}", gap.what), &format!("{}: {}", gap.reason.as_str(), super::gap::hint(gap)))
}

fn skipped(class: &str, name: &str, message: &str) -> String {
    case(class, name, &format!("      <skipped message=\"{}\"/>\n", markup::line(message)))
}

fn case(class: &str, name: &str, outcome: &str) -> String {
    let head =
        format!("    <testcase classname=\"rca.{}\" name=\"{}\" time=\"0\"", markup::line(class), markup::line(name));
    if outcome.is_empty() { format!("{head}/>\n") } else { format!("{head}>\n{outcome}    </testcase>\n") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn incidents_are_tests_that_failed() {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!("report.junit", render(&sample::rich()));
        });
        let healthy = render(&sample::healthy());
        assert!(healthy.contains("tests=\"1\" failures=\"0\""), "{healthy}");
        assert!(healthy.contains("nothing is wrong in namespace shop"), "{healthy}");
    }

    #[test]
    fn what_was_not_read_has_not_passed() {
        let partial = render(&sample::partial());
        assert!(partial.contains("skipped=\"6\""), "{partial}");
        assert!(partial.contains("rca.missing-secret"), "{partial}");
        assert!(partial.contains("could not read secrets (forbidden)"), "{partial}");
    }

    #[test]
    fn what_is_ignored_or_known_is_skipped() {
        let decided = render(&sample::decided());
        assert!(decided.contains("tests=\"12\" failures=\"1\" errors=\"0\" skipped=\"9\""), "{decided}");
        assert!(decided.contains("ignored: error: statefulset/worker"), "{decided}");
        assert!(decided.contains("known from the baseline: resourcequota/mem"), "{decided}");
    }

    #[test]
    fn what_strangers_wrote_is_text() {
        let text = "</failure><x a=\"'\"/>]]> & \u{1b}[2J \u{ffff} \u{0}\nline";
        for report in [sample::rich(), sample::healthy(), sample::partial(), sample::hostile(), sample::saying(text)] {
            let xml = render(&report);
            let document = roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}\n{xml}"));
            let names: std::collections::BTreeSet<&str> =
                document.descendants().filter(roxmltree::Node::is_element).map(|node| node.tag_name().name()).collect();
            assert!(!names.contains("x"), "{names:?}");
            let count = document.descendants().filter(|node| node.has_tag_name("testcase")).count();
            assert_eq!(document.root_element().attribute("tests"), Some(count.to_string().as_str()));
        }
        assert!(render(&sample::saying(text)).contains("&lt;/failure&gt;&lt;x a=&quot;"));
    }
}
