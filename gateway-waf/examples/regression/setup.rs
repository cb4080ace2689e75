//! The rule set as its test setup configures it.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use gateway_waf::{RuleEngine, Waf};

use crate::{Engines, disk::Disk, options::Options};

/// What the engine's own configuration file says, with the response bodies that tests look at.
const ENGINE: &str = r#"
SecRequestBodyAccess On
SecResponseBodyAccess On
SecResponseBodyMimeType text/plain text/html text/xml application/json
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 131072
SecRequestBodyLimitAction Reject
SecResponseBodyLimit 1048576
SecResponseBodyLimitAction ProcessPartial
SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\+|/)|text/)xml" \
    "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "^application/json" \
    "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" \
    "id:200002,phase:2,t:none,log,deny,status:400,msg:'Failed to parse request body.'"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" \
    "id:200003,phase:2,t:none,log,deny,status:400,msg:'Multipart body failed strict validation.'"
SecRule MULTIPART_UNMATCHED_BOUNDARY "@eq 1" \
    "id:200004,phase:2,t:none,log,deny,msg:'Multipart parser detected a possible unmatched boundary.'"
"#;

/// What the test setup changes in `crs-setup.conf`; names of versions 3 and 4.
const LEVEL: &str = "SecAction \"id:900005,phase:1,nolog,pass,\
    setvar:tx.paranoia_level=4,setvar:tx.executing_paranoia_level=4,\
    setvar:tx.blocking_paranoia_level=4,setvar:tx.detection_paranoia_level=4,\
    setvar:tx.crs_validate_utf8_encoding=1,\
    setvar:tx.arg_length=400,setvar:tx.total_arg_length=6400,\
    setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535\"";

/// Shows where a test begins and ends in the log of a server, as the rule set's test setup does.
const MARKER: &str = "SecRule REQUEST_HEADERS:X-CRS-Test \"@rx ^.*$\" \
    \"id:999999,pass,phase:1,log,msg:'X-CRS-Test %{MATCHED_VAR}',ctl:ruleRemoveById=1-999999\"\n";

const DISK: Disk = Disk(&[("engine.conf", ENGINE), ("level.conf", LEVEL)]);

/// Writes the rule files that a server has to load, in this order, into a folder; returns what it
/// should have as `waf.rules`.
pub(crate) fn write(options: &Options, folder: &Path) -> Result<Vec<String>> {
    let engine = folder.join("engine.conf");
    let level = folder.join("level.conf");
    for (file, text) in [
        (
            &engine,
            format!("SecRuleEngine DetectionOnly\n{MARKER}{ENGINE}"),
        ),
        (&level, format!("{LEVEL}\n")),
    ] {
        std::fs::write(file, text).with_context(|| file.display().to_string())?;
    }
    let [setup, rules] = files(options)?;
    Ok(vec![text(&engine), setup, text(&level), rules])
}

/// The names of `crs-setup.conf` and of the rules.
fn files(options: &Options) -> Result<[String; 2]> {
    let setup = match &options.setup {
        Some(setup) => setup.clone(),
        None => ["crs-setup.conf", "crs-setup.conf.example"]
            .iter()
            .map(|name| options.rules.join(name))
            .find(|path| path.is_file())
            .with_context(|| format!("{}: no crs-setup.conf", options.rules.display()))?,
    };
    Ok([text(&setup), text(&options.rules.join("rules/*.conf"))])
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Loads the rule set twice.
pub(crate) fn load(options: &Options) -> Result<Engines> {
    let [setup, rules] = files(options)?;
    let entries = ["engine.conf", &setup, "level.conf", &rules];
    let one = |prefilter: bool| -> Result<Waf> {
        let mut waf = Waf::load(&entries, &DISK).map_err(|errors| anyhow!("{errors}"))?;
        waf.set_engine(RuleEngine::DetectionOnly);
        waf.set_prefilter(prefilter);
        waf.set_decoders(options.decode);
        Ok(waf)
    };
    let engines = Engines {
        with: one(true)?,
        without: one(false)?,
    };
    if engines.with.rules() == 0 {
        bail!("{rules}: no rules");
    }
    println!("{} rules", engines.with.rules());
    Ok(engines)
}
