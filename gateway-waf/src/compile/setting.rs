//! The directives that set one value.

use crate::{
    nearest,
    ruleset::{LimitAction, RuleEngine, Settings},
    seclang::{
        directive::Setting,
        lexer::Word,
        span::{Complaint, Position},
    },
};

/// The largest body limit, 1 GiB, as in ModSecurity.
const MAX_BODY_LIMIT: usize = 1 << 30;

/// Applies one setting.
pub(super) fn apply(
    settings: &mut Settings,
    setting: Setting,
    at: Position,
    args: &[Word],
) -> Result<(), Complaint> {
    let [word] = args else {
        let message = format!("expected 1 word after the directive, found {}", args.len());
        return Err(Complaint::new(at, message));
    };
    match setting {
        Setting::RuleEngine => {
            settings.engine = choice(word, ENGINE)?;
        }
        Setting::RequestBodyAccess => settings.body_access = choice(word, SWITCH)?,
        Setting::RequestBodyLimit => settings.body_limit = number(word, MAX_BODY_LIMIT)?,
        Setting::RequestBodyNoFilesLimit => {
            settings.body_no_files_limit = number(word, MAX_BODY_LIMIT)?;
        }
        Setting::RequestBodyLimitAction => {
            settings.body_limit_action = choice(
                word,
                &[
                    ("Reject", LimitAction::Reject),
                    ("ProcessPartial", LimitAction::ProcessPartial),
                ],
            )?;
        }
        Setting::RequestBodyJsonDepthLimit => settings.json_depth = number(word, 10_000)?,
        Setting::ArgumentsLimit => settings.arguments_limit = number(word, 1 << 20)?,
        Setting::ArgumentSeparator => match word.text.as_slice() {
            [separator] => settings.argument_separator = *separator,
            _ => return Err(Complaint::new(word.start(), "expected one character")),
        },
        Setting::ComponentSignature => {
            settings
                .signatures
                .push(String::from_utf8_lossy(&word.text).into_owned());
        }
    }
    Ok(())
}

/// `On` and `Off`.
pub(super) const SWITCH: &[(&str, bool)] = &[("On", true), ("Off", false)];

/// The values of `SecRuleEngine` and `ctl:ruleEngine`.
pub(super) const ENGINE: &[(&str, RuleEngine)] = &[
    ("On", RuleEngine::On),
    ("Off", RuleEngine::Off),
    ("DetectionOnly", RuleEngine::DetectionOnly),
];

/// Finds `text` among the choices, any case.
///
/// # Errors
/// Lists the choices.
pub(super) fn pick<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let found = choices
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text));
    found.map(|&(_, value)| value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|&(name, _)| name).collect();
        let hint = nearest::hint(text, names.iter().copied());
        format!("expected one of {}, found {text}{hint}", names.join(", "))
    })
}

fn choice<T: Copy>(word: &Word, choices: &[(&str, T)]) -> Result<T, Complaint> {
    pick(&String::from_utf8_lossy(&word.text), choices)
        .map_err(|message| Complaint::new(word.start(), message))
}

fn number(word: &Word, max: usize) -> Result<usize, Complaint> {
    let text = String::from_utf8_lossy(&word.text);
    match text.parse::<usize>() {
        Ok(value) if value <= max => Ok(value),
        _ => Err(Complaint::new(
            word.start(),
            format!("expected a number from 0 to {max}, found {text}"),
        )),
    }
}
