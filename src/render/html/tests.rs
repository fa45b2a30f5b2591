use std::collections::BTreeSet;

use super::render;
use crate::model::story::{Dependency, Happening, Moment};
use crate::model::{Kind, ObjectRef, Report, Story};
use crate::render::sample;

const HOSTILE: &str =
    "</pre></title><script>alert(1)</script><img src=x onerror=alert(2)>\"' onload='x' &lt; `a` ]]> <!-- \u{ffff}";

fn object(kind: Kind, name: &str) -> ObjectRef {
    ObjectRef::new(kind, "shop", name)
}

fn story(report: &Report, text: &str) -> Story {
    let at = |minutes: i64| report.taken_at - jiff::SignedDuration::from_mins(minutes);
    let (cart, service) = (object(Kind::Deployment, "cart"), object(Kind::Service, "cart"));
    let moment = |minutes, object: &ObjectRef, what| Moment {
        time: at(minutes),
        since: at(minutes + 2),
        object: object.clone(),
        what,
        text: text.to_owned(),
    };
    let cause = &report.incidents[0].cause.subject.object;
    let depends = |from: &ObjectRef, verb, to: &ObjectRef| Dependency { from: from.clone(), to: to.clone(), verb };
    let (checkout, ingress) = (object(Kind::Deployment, "checkout"), object(Kind::Ingress, "shop"));
    let mut dependencies = vec![
        depends(&service, "selects", cause),
        depends(&checkout, "calls", &service),
        depends(&ingress, "routes to", &service),
        depends(&ingress, "routes to", &checkout),
    ];
    dependencies.sort();
    Story {
        moments: vec![
            moment(60 * 24 * 9, &cart, Happening::Change),
            moment(12, &cart, Happening::Change),
            moment(8, &service, Happening::Event),
            moment(3, cause, Happening::Restart),
            moment(1, cause, Happening::Warning),
        ],
        dependencies: vec![dependencies],
    }
}

/// Reads a page as XML, which it is too, so that nothing can hide in what a browser would mend.
fn read(page: &str, check: impl Fn(&roxmltree::Document<'_>)) {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    match roxmltree::Document::parse_with_options(page, options) {
        Ok(document) => check(&document),
        Err(error) => panic!("{error}\n{page}"),
    }
}

#[test]
fn a_page_reads_as_the_report_does() {
    let report = sample::rich();
    let page = render(&report, Some(&story(&report, "BackOff: it fails")));
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "../snapshots" }, {
        // The style is its own snapshot.
        insta::assert_snapshot!("report.html", page.replace(super::STYLE, ""));
    });
}

#[test]
fn all_pages_are_well_formed_and_need_nothing_from_elsewhere() {
    let reports = [
        sample::rich(),
        sample::healthy(),
        sample::partial(),
        sample::hostile(),
        sample::saying(HOSTILE),
        sample::decided(),
    ];
    for report in reports {
        let told = (!report.incidents.is_empty()).then(|| story(&report, HOSTILE));
        for story in [None, told.as_ref()] {
            read(&render(&report, story), |document| {
                for node in document.descendants().filter(roxmltree::Node::is_element) {
                    let is_active =
                        ["script", "link", "img", "iframe", "object", "embed", "form", "base", "use", "image"];
                    assert!(!is_active.contains(&node.tag_name().name()), "{:?}", node.tag_name());
                    for attribute in node.attributes() {
                        assert!(!attribute.name().starts_with("on"), "{attribute:?}");
                        let is_reference = ["href", "src", "action", "data"].contains(&attribute.name());
                        assert!(!is_reference || attribute.value().starts_with('#'), "{attribute:?}");
                    }
                }
            });
        }
    }
}

#[test]
fn what_strangers_wrote_is_text() {
    let report = sample::saying(HOSTILE);
    read(&render(&report, Some(&story(&report, HOSTILE))), |document| {
        let text: Vec<&str> = document.descendants().filter_map(|node| node.text()).collect();
        assert!(text.iter().filter(|text| text.contains("<script>alert(1)</script>")).count() > 10);
    });
}

#[test]
fn what_was_decided_is_told() {
    let page = render(&sample::decided(), None);
    for part in [
        "<h2>Ignored</h2>",
        "one &lt;replica&gt; by design",
        "Gone since",
        "&lt;never&gt;",
        "· known from",
        "· new since",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
}

#[test]
fn ids_are_unique_and_links_lead_somewhere() {
    let report = sample::rich();
    read(&render(&report, None), |document| {
        let nodes = || document.descendants();
        let ids: Vec<&str> = nodes().filter_map(|node| node.attribute("id")).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len());
        let links: Vec<&str> = nodes().filter_map(|node| node.attribute("href")).collect();
        assert_eq!(links.len(), report.incidents.len());
        assert!(links.iter().all(|link| unique.contains(link.trim_start_matches('#'))), "{links:?}");
    });
}

#[test]
fn the_cause_is_marked_and_every_dependency_drawn() {
    let report = sample::rich();
    let page = render(&report, Some(&story(&report, "x")));
    assert_eq!(page.matches("<g class=\"cause\">").count(), 1);
    assert!(page.contains("the cause: missing-env"));
    assert!(page.contains("selects deployment/cart"));
    // The second way of the Ingress is no part of the tree.
    assert_eq!(page.matches("edge dashed").count(), 1);
    assert!(page.contains("ingress/shop routes to "), "{page}");
}
