//! A command that is interrupted, and how a calm run of it ends.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::end::report_of;
use crate::paid::Asked;
use crate::scene::{Ended, Files, Scene};

/// Tells what the run with this number of a scene has asked.
type AskedBy = Box<dyn Fn(&Scene, usize) -> Asked>;

/// A command of which the tests make interrupted runs.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The inputs.
    pub(crate) files: Files,
    /// The arguments of the program before `--resume`.
    pub(crate) arguments: Vec<String>,
    /// The arguments behind `--`.
    pub(crate) behind: Vec<String>,
    pub(crate) calm: Calm,
    /// `None` if the answers cost nothing.
    asked: Option<AskedBy>,
}

/// The end of a calm run.
pub(crate) struct Calm {
    pub(crate) code: Option<i32>,
    pub(crate) report: Value,
    /// Every file that is in the folder then.
    pub(crate) files: Files,
    pub(crate) took: Duration,
}

impl Case {
    /// Makes the calm run.
    pub(crate) fn new(files: Files, arguments: &str, behind: &[&str]) -> Self {
        let words = arguments.split_whitespace();
        let mut case = Case {
            name: arguments.to_owned(),
            files,
            arguments: words.map(str::to_owned).collect(),
            behind: behind.iter().copied().map(str::to_owned).collect(),
            calm: Calm {
                code: None,
                report: Value::Null,
                files: Files::new(),
                took: Duration::ZERO,
            },
            asked: None,
        };
        let mut scene = case.scene();
        let began = Instant::now();
        let ended = scene.run(&[], &case.command(false));
        case.calm = Calm {
            code: ended.code,
            report: report_of(&ended),
            files: scene.files(),
            took: began.elapsed(),
        };
        assert!(matches!(ended.code, Some(0 | 1)), "{ended:?}");
        case
    }

    /// Says that the answers of this case are paid for, and how to learn what a run has asked.
    pub(crate) fn paid(mut self, asked: impl Fn(&Scene, usize) -> Asked + 'static) -> Self {
        self.asked = Some(Box::new(asked));
        self
    }

    pub(crate) fn is_paid(&self) -> bool {
        self.asked.is_some()
    }

    /// What a run of a scene has asked its programs or its service. Nothing if the answers cost nothing.
    pub(crate) fn asked(&self, scene: &Scene, run: &Ended) -> Asked {
        let asked = self.asked.as_ref();
        asked.map_or_else(Asked::new, |asked| asked(scene, run.number))
    }

    /// A folder with the inputs only.
    pub(crate) fn scene(&self) -> Scene {
        Scene::with(&self.files)
    }

    /// The arguments of the program.
    pub(crate) fn command(&self, resumes: bool) -> Vec<String> {
        let mut command = self.arguments.clone();
        command.extend(resumes.then(|| "--resume".to_owned()));
        if !self.behind.is_empty() {
            command.push("--".to_owned());
            command.extend_from_slice(&self.behind);
        }
        command
    }

    /// Goes on in a scene to the end, without any interruption.
    pub(crate) fn go_on(&self, scene: &mut Scene) -> Ended {
        scene.run(&[], &self.command(true))
    }

    /// The file beside which the journal is.
    pub(crate) fn output(&self) -> &str {
        let named = |option: &str| {
            let at = self.arguments.iter().position(|word| word == option)?;
            self.arguments.get(at + 1).map(String::as_str)
        };
        named("--partial").or(named("-o")).expect("an output")
    }
}
