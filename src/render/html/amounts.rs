//! Amounts before and after, as bars, with the arithmetic below.

use crate::model::Sizing;
use crate::model::sizing::FieldChange;
use crate::quantity::Quantity;
use crate::render::markup::line;

/// Draws the changes of a recommendation.
pub(super) fn draw(sizing: &Sizing) -> String {
    let bars: String = sizing.changes.iter().map(change).collect();
    let basis = &sizing.basis;
    let inputs: Vec<String> = basis.inputs.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let mut lines = vec![format!("{} ({}; {})", basis.formula, inputs.join(", "), basis.footing.as_str())];
    for check in &sizing.checks {
        let word = if check.ok { "fits" } else { "does not fit" };
        lines.push(format!("{word}: {}: {}", check.what, check.detail));
    }
    if !sizing.unchecked.is_empty() {
        lines.push(format!("not checked, as they were not read: {}", sizing.unchecked.join(", ")));
    }
    lines.extend(sizing.temporary.clone());
    let lines: String = lines.iter().map(|text| format!("<li>{}</li>\n", line(text))).collect();
    format!("{bars}<ul class=\"dim\">\n{lines}</ul>\n")
}

fn change(change: &FieldChange) -> String {
    let (before, after) = (change.before.as_deref(), change.after.as_str());
    let most = amount(before).max(amount(Some(after)));
    let bar = |class: &str, text: &str, quantity: Quantity| {
        format!(
            "<div class=\"bar {class}\"><i style=\"width:{}%\"></i><span>{class} {}</span></div>\n",
            share(quantity, most),
            line(text)
        )
    };
    format!(
        "<figure class=\"bars\">\n<figcaption>{}</figcaption>\n{}{}</figure>\n",
        line(&change.path),
        bar("before", before.unwrap_or("not set"), amount(before)),
        bar("after", after, amount(Some(after)))
    )
}

fn amount(text: Option<&str>) -> Quantity {
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Percent of the whole, 0 to 100.
fn share(part: Quantity, whole: Quantity) -> i64 {
    // Thousandths, as CPU comes in them; a share of bytes is as exact.
    let whole = i128::from(whole.milli()).max(1);
    let percent = i128::from(part.milli()) * 100 / whole;
    i64::try_from(percent.clamp(0, 100)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion() {
        let drawn = |before: Option<&str>, after: &str| {
            change(&FieldChange {
                path: "limits.memory".to_owned(),
                before: before.map(str::to_owned),
                after: after.to_owned(),
            })
        };
        let doubled = drawn(Some("64Mi"), "128Mi");
        assert!(doubled.contains("width:50%\"></i><span>before 64Mi"), "{doubled}");
        assert!(doubled.contains("width:100%\"></i><span>after 128Mi"), "{doubled}");
        assert!(drawn(Some("1"), "250m").contains("width:25%\"></i><span>after 250m"));
        assert!(drawn(None, "1Gi").contains("width:0%\"></i><span>before not set"));
        assert!(drawn(Some("<b>"), "9999999999Ei").contains("before &lt;b&gt;"));
    }
}
