//! The change itself: fields, patch and command, for the object that a person edits.

use serde_json::Value;

use crate::model::limits::Field;
use crate::model::sizing::FieldChange;
use crate::quantity::Quantity;
use crate::recommend::edit::{self, Edit};
use crate::recommend::owner;
use crate::scene::{ContainerView, Scene};

/// New amounts of memory of one container.
#[derive(Clone, Copy, Debug)]
pub struct Change<'s> {
    pub container: ContainerView<'s>,
    pub limit: Quantity,
    /// `None` where the request stays, or follows the limit because it is not set.
    pub request: Option<Quantity>,
}

impl Change<'_> {
    /// Returns the same change as an edit of the workload.
    fn edit(&self) -> Edit<'_> {
        let limit = (Field::LimitsMemory, Some(self.limit.mem()));
        let request = self.request.map(|request| (Field::RequestsMemory, Some(request.mem())));
        let fields = std::iter::once(limit).chain(request).collect();
        Edit { name: self.container.name(), role: self.container.role, fields }
    }

    /// Returns the fields before and after.
    pub fn fields(&self) -> Vec<FieldChange> {
        let root = self.container.pod.workload().template_path().unwrap_or("spec");
        let list = edit::list(self.container.role);
        let name = self.container.name();
        let path = |kind: &str| format!("{root}.{list}[{name}].resources.{kind}.memory");
        let before = |amount: Option<&str>| amount.map(str::to_owned);
        let limit = FieldChange {
            path: path("limits"),
            before: before(self.container.limit("memory")),
            after: self.limit.mem(),
        };
        let request = self.request.map(|request| FieldChange {
            path: path("requests"),
            before: before(self.container.request("memory")),
            after: request.mem(),
        });
        std::iter::once(limit).chain(request).collect()
    }

    /// Returns the strategic merge patch.
    pub fn patch(&self, scene: &Scene<'_>) -> Option<Value> {
        edit::patch(scene, self.container.pod.workload(), &[self.edit()])
    }

    /// Returns the command that applies it.
    pub fn command(&self, scene: &Scene<'_>) -> Option<String> {
        edit::commands(scene, self.container.pod.workload(), &[self.edit()]).pop()
    }

    /// Returns why the object has to be changed elsewhere, and where.
    pub fn elsewhere(&self, scene: &Scene<'_>) -> Option<String> {
        let field = format!("resources.limits.memory of `{}`", self.container.name());
        owner::elsewhere(scene, self.container.pod.workload(), self.container.role, self.container.name(), &field)
    }
}
