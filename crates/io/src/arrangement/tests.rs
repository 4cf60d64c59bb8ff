use proptest::prelude::*;

use super::*;

fn table(text: &str) -> Result<Vec<Session>> {
    places::from_table(text.as_bytes(), b',', &ReadOptions::default())
}

fn json(text: &str) -> Result<Vec<Session>> {
    json::from_bytes(text.as_bytes(), &ReadOptions::default())
}

const TABLE: &str = "worker,trial,item,x,y,rt\n\
    a,1,10,0,0,5\na,1,9,3,4,5\na,2,9,1,0,5\na,2,11,0,1,5\na,2,10,0,0,5\n";

const OWN: &str = r#"{"trials": [
    {"trial": 1, "positions": [{"item": 10, "x": 0, "y": 0}, {"item": "9", "x": 3, "y": 4}]},
    {"items": [9, 11, 10], "x": [1, 0, 0], "y": [0, 1, 0]}
]}"#;

const ROWS: &str = r#"[
    {"trial": "1", "item": 10, "x": 0, "y": 0, "rt": null}, {"trial": "1", "item": 9, "x": 3, "y": 4},
    {"trial": 2, "item": 9, "x": 1, "y": 0}, {"trial": 2, "item": 11, "x": 0, "y": 1},
    {"trial": 2, "item": 10, "x": 0, "y": 0}
]"#;

const MEADOWS: &str = r#"{"task": {"name": "ma", "task_type": "multiarrange"},
    "stimuli": [{"id": "q", "name": "11"}, {"id": "r", "name": "9"}, {"id": "s", "name": "10"}],
    "trials": [
        {"positions": [{"id": "s", "x": 0, "y": 0}, {"id": "r", "x": 3, "y": 4}], "log": [[1, "placed", {}]]},
        {"positions": [{"id": "r", "x": 1, "y": 0}, {"id": "q", "x": 0, "y": 1}, {"id": "s", "x": 0, "y": 0}]}
    ],
    "rdm": [0.1, 0.2, 0.3]}"#;

#[test]
fn every_form_holds_the_same_trials() {
    let sessions = table(TABLE).unwrap();
    let [
        Session {
            items,
            trials: Some(trials),
            ..
        },
    ] = sessions.as_slice()
    else {
        panic!("{sessions:?}")
    };
    assert_eq!(items, &["9", "10", "11"]);
    assert_eq!(trials.trials()[0].positions, [[3.0, 4.0], [0.0, 0.0]]);
    for text in [OWN, ROWS, MEADOWS] {
        let other = json(text).unwrap();
        assert_eq!(other.len(), 1);
        assert_eq!(other[0].trials.as_ref(), Some(trials), "{text}");
    }
    let list = OWN
        .trim()
        .trim_start_matches(r#"{"trials":"#)
        .trim_end_matches('}');
    assert_eq!(json(list).unwrap()[0].trials.as_ref(), Some(trials));

    let meadows = &json(MEADOWS).unwrap()[0];
    assert_eq!(meadows.task.as_deref(), Some("ma"));
    // Pairs (11, 9), (11, 10), (9, 10) become (9, 10), (9, 11), (10, 11).
    assert_eq!(meadows.rdm.as_deref(), Some(&[0.3, 0.1, 0.2][..]));
}

#[test]
fn tasks_and_participants_are_told_apart() {
    let other = r#"{"task": {"task_type": "info"}, "stimuli": [], "trials": []}"#;
    let one = format!(r#"{{"token": null, "tasks": [{other}, {MEADOWS}]}}"#);
    assert_eq!(json(&one).unwrap().len(), 1);
    let people = format!(r#"{{"able-fly": {one}, "clean-koi": {MEADOWS}}}"#);
    let sessions = json(&people).unwrap();
    let names: Vec<_> = sessions.iter().map(Session::describe).collect();
    assert_eq!(
        names,
        [
            "participant \"able-fly\" in task \"ma\"",
            "participant \"clean-koi\" in task \"ma\""
        ]
    );
    check_same_items(&sessions).unwrap();
    let message = json(&format!(r#"{{"tasks": [{other}]}}"#))
        .unwrap_err()
        .to_string();
    assert!(message.contains("multiarrange"), "{message}");

    let options = ReadOptions {
        participant_column: Some("worker".into()),
        ..ReadOptions::default()
    };
    let twice = format!("{TABLE}b,1,9,0,0,1\nb,1,10,5,0,1\n");
    let sessions = places::from_table(twice.as_bytes(), b',', &options).unwrap();
    assert_eq!(sessions[1].participant.as_deref(), Some("b"));
    let message = check_same_items(&sessions).unwrap_err().to_string();
    assert!(message.contains("has no item \"11\""), "{message}");
    let message = table(&twice).unwrap_err().to_string();
    assert!(
        message.contains("\"9\" occurs twice") && message.contains("trial \"1\""),
        "{message}"
    );
}

#[test]
fn missing_places_are_refused_or_left_out() {
    let text = "trial,item,x,y\n1,a,0,0\n1,b,1,NaN\n2,a,0,0\n2,b,1,0\n2,c,NaN,0\n";
    let message = table(text).unwrap_err().to_string();
    assert!(
        message.contains("row 3, column y: found \"NaN\""),
        "{message}"
    );
    let options = ReadOptions {
        omit_missing: true,
        ..ReadOptions::default()
    };
    let found = &places::from_table(text.as_bytes(), b',', &options).unwrap()[0];
    assert_eq!((found.n_omitted, found.items.len()), (3, 2));
    assert_eq!(found.trials.as_ref().unwrap().trials().len(), 1);

    let text = r#"[{"trial":1,"item":"a","x":0,"y":0},{"trial":1,"item":"b","x":1,"y":null},
        {"trial":1,"item":"c","x":1,"y":2}]"#;
    let message = json(text).unwrap_err().to_string();
    assert!(message.contains("the file[1].y is null"), "{message}");
    let found = &json::from_bytes(text.as_bytes(), &options).unwrap()[0];
    assert_eq!((found.n_omitted, found.items.len()), (1, 2));
    let infinite = "trial,item,x,y\n1,a,0,0\n1,b,1,inf\n";
    assert!(places::from_table(infinite.as_bytes(), b',', &options).is_err());
}

#[test]
fn what_is_no_arrangement_says_where() {
    for (text, phrases) in [
        ("", &["header"][..]),
        ("trial,item,x,y\n", &["no trials"]),
        ("trial,item,x\n1,a,0\n", &["no column \"y\""]),
        (
            "trial,item,x,y\n1,a,0,zero\n",
            &["row 2", "column y", "\"zero\""],
        ),
        (
            "trial,item,x,y\n1,,0,0\n",
            &["row 2", "column item", "a name"],
        ),
        ("trial,item,x,y\n1,a,0,0\n", &["trial \"1\"", "1 item"]),
        ("trial,item,x,y\n1,a,0,0\n1,b,0,0\n", &["one place"]),
    ] {
        let message = table(text).unwrap_err().to_string();
        assert!(
            phrases.iter().all(|p| message.contains(p)),
            "{text}: {message}"
        );
    }
    for (text, phrases) in [
        ("", &["JSON"][..]),
        ("{", &["JSON"]),
        ("3", &["the file is 3", "trials"]),
        ("{}", &["object"]),
        ("[]", &["no trials"]),
        (r#"{"trials": [3]}"#, &["trials[0] is 3", "an object"]),
        (r#"{"trials": [{}]}"#, &["trials[0].items"]),
        (
            r#"{"trials": [{"positions": 1}]}"#,
            &["trials[0].positions is 1", "a list"],
        ),
        (
            r#"{"trials": [{"positions": [{"item": "a", "x": 0}]}]}"#,
            &["positions[0].y"],
        ),
        (
            r#"{"trials": [{"positions": [{"x": 0, "y": 0}]}]}"#,
            &["positions[0].item"],
        ),
        (
            r#"{"trials": [{"positions": [{"item": [], "x": 0, "y": 0}]}]}"#,
            &["a list of 0", "a name"],
        ),
        (
            r#"{"trials": [{"items": ["a"], "x": [0, 1], "y": [0]}]}"#,
            &["1 items, 2 x and 1 y"],
        ),
        (
            r#"{"items": ["a"], "trials": [{"items": ["a", "b"], "x": [0, 1], "y": [0, 0]}]}"#,
            &["\"b\""],
        ),
        (
            r#"{"stimuli": [{"id": "q", "name": "a"}], "trials": [{"positions": [{"id": "z", "x": 0, "y": 0}]}]}"#,
            &["positions[0] is the item \"z\"", "stimuli"],
        ),
        (
            r#"{"stimuli": [{"id": "q", "name": "a"}], "trials": [], "rdm": [1, 2]}"#,
            &["RDM of 1 items", "2 values"],
        ),
        (
            r#"{"stimuli": [{"name": "a"}, {"name": "a"}], "trials": [], "rdm": [1]}"#,
            &["\"a\" occurs more than once"],
        ),
    ] {
        let message = json(text).unwrap_err().to_string();
        assert!(
            phrases.iter().all(|p| message.contains(p)),
            "{text}: {message}"
        );
    }
    let deep = "[".repeat(100_000);
    assert!(json(&deep).is_err());
    let options = ReadOptions {
        limits: Limits {
            max_json_bytes: 10,
            ..Limits::default()
        },
        ..ReadOptions::default()
    };
    let message = json::from_bytes(OWN.as_bytes(), &options)
        .unwrap_err()
        .to_string();
    assert!(message.contains("max_json_bytes"), "{message}");
}

#[test]
fn a_list_of_items_sets_their_order() {
    let text = OWN.replacen('{', r#"{"items": ["11", "10", "9", "8"], "#, 1);
    let found = &json(&text).unwrap()[0];
    assert_eq!(found.items, ["11", "10", "9", "8"]);
    assert_eq!(found.trials.as_ref().unwrap().trials()[0].items, [1, 2]);
}

#[test]
fn other_files_are_told_by_their_ending() {
    let message = read("trials.xlsx", &ReadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("\"xlsx\"") && message.contains(".csv"),
        "{message}"
    );
    assert!(
        read("none.csv", &ReadOptions::default())
            .unwrap_err()
            .is_not_found()
    );
}

proptest! {
    #[test]
    fn damaged_text_never_panics(at in 0..500_usize, byte in any::<u8>(), cut in 0..500_usize) {
        for text in [OWN, ROWS, MEADOWS, TABLE] {
            let mut bytes = text.as_bytes().to_vec();
            let n = bytes.len();
            bytes[at % n] = byte;
            bytes.truncate(cut % (n + 1));
            let _ = json::from_bytes(&bytes, &ReadOptions::default());
            let _ = places::from_table(&bytes, b',', &ReadOptions::default());
        }
    }
}
