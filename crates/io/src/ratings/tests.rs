//! Forms of tables, what is left out, and what is refused.

use proptest::prelude::*;

use super::rows::is_rejected;
use super::*;

fn table(text: &str) -> Table {
    Table::from_bytes(text.as_bytes(), b',', &Limits::default()).unwrap()
}

fn read(text: &str, params: &RatingsParams) -> Result<RatingsTable> {
    RatingsTable::from_table(&table(text), params, &Limits::default())
}

fn message(text: &str, params: &RatingsParams) -> String {
    read(text, params).unwrap_err().to_string()
}

/// As FindingEmo writes them, behind a column of row numbers.
const ANNOTATIONS: &str = "\
,user,image_path,reject,tag,age,valence,arousal,emotion
0,ann,/Happy/a.jpg,Keep,x,Adult,3,5,Joy
1,bob,/Happy/a.jpg,keep,x,Adult,2,NaN,Joy
2,bob,/Sad/a.jpg,Reject,x,Adult,oops,1,
3,ann,/Sad/a.jpg,False,x,Adult,-2,4,Grief
4,cat,/Sad/b.jpg,True,x,Adult,1,4,Grief
5,ann,/Sad/c.jpg,,x,Adult,,4,Grief
6,dan,/Sad/c.jpg,0,x,Adult,0,4,Grief
";

#[test]
fn rejected_rows_are_left_out_and_counted() {
    let params = RatingsParams {
        scale: Some([-3.0, 3.0]),
        ..RatingsParams::findingemo("valence")
    };
    let ratings = read(ANNOTATIONS, &params).unwrap();
    assert_eq!((ratings.n_rejected(), ratings.n_missing()), (2, 1));
    let pictures: Vec<&str> = ratings.pictures().collect();
    assert_eq!(pictures, ["/Happy/a.jpg", "/Sad/a.jpg", "/Sad/c.jpg"]);
    let names = ["Sad/a.jpg", "Happy/a.jpg", "Sad/b.jpg"];
    let found = ratings.aligned(&names).unwrap();
    assert_eq!(found.raters, ["ann", "bob"]);
    assert_eq!(found.mean, [Some(-2.0), Some(2.5), None]);
    assert_eq!(found.sd, [None, Some(0.5_f64.sqrt()), None]);
    assert_eq!(found.n, [Some(1), Some(2), Some(0)]);
    assert_eq!((found.missing, found.n_missing), (vec![2], 1));
    assert_eq!(found.unasked, ["/Sad/c.jpg"]);
    assert_eq!(found.values.row(1).to_vec(), [3.0, 2.0]);
    assert!(found.values[[0, 1]].is_nan() && found.values.row(2).iter().all(|v| v.is_nan()));
    // Without folders, the two are not told apart.
    let message = ratings.aligned(&["a.jpg"]).unwrap_err().to_string();
    assert!(message.contains("/Happy/a.jpg"), "{message}");
}

#[test]
fn tables_of_means_keep_their_spread() {
    let text = ",Theme,V_mean,V_SD,V_N\rI1,War 2 ,1.5,0.5,100\rI2,Dog 1,6,,\r";
    let found = read(text, &RatingsParams::oasis("V")).unwrap();
    let found = found.aligned(&["Dog 1.jpg", "War 2.jpg"]).unwrap();
    assert_eq!(found.mean, [Some(6.0), Some(1.5)]);
    assert_eq!(
        (found.sd, found.n),
        (vec![None, Some(0.5)], vec![None, Some(100)])
    );
    for (text, part) in [
        ("Theme,V_mean,V_SD,V_N\na,1,-1,3\n", "row 2, column V_SD"),
        ("Theme,V_mean,V_SD,V_N\na,1,1,2.5\n", "row 2, column V_N"),
        ("Theme,V_mean,V_SD,V_N\na,1,1,3\na,2,1,3\n", "row 3"),
        ("Theme,V_mean,V_SD\na,1,1\n", "V_N"),
    ] {
        let message = message(text, &RatingsParams::oasis("V"));
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn repeats_are_refused_or_averaged() {
    let text = "image,r\na,1\nb,5\na,2\n";
    let mut params = RatingsParams::wide("image", &["r"]);
    let message = message(text, &params);
    assert!(
        message.contains("row 4") && message.contains("picture \"a\" by \"r\""),
        "{message}"
    );
    params.repeats = Repeats::Mean;
    let found = read(text, &params).unwrap().aligned(&["a"]).unwrap();
    assert_eq!((found.mean, found.n), (vec![Some(1.5)], vec![Some(1)]));
}

#[test]
fn what_is_wrong_is_named() {
    let params = |scale| RatingsParams {
        scale: Some(scale),
        ..RatingsParams::wide("image", &["x", "y"])
    };
    let good = "image,x,y\na,1,2\nb,3,9\n";
    for (text, scale, parts) in [
        (
            good,
            [1.0, 7.0],
            ["row 3, column y: 9", "scale from 1 to 7"],
        ),
        (
            good,
            [7.0, 1.0],
            ["the rating scale is from 7 to 1", "lower one first"],
        ),
        (
            "image,x,y\na,1,inf\n",
            [1.0, 7.0],
            ["row 2, column y", "a finite number"],
        ),
        (
            "image,x,y\na,1,two\n",
            [1.0, 7.0],
            ["row 2, column y", "\"two\""],
        ),
        (
            "image,x,y\n ,1,2\n",
            [1.0, 7.0],
            ["row 2, column image", "a name in every row"],
        ),
        ("image,x\na,1\n", [1.0, 7.0], ["no column \"y\"", "\"x\""]),
        (
            "image,x,y\na,,NA\n",
            [1.0, 7.0],
            ["without a rating", "1 rows"],
        ),
        ("image,x,y\n", [1.0, 7.0], ["without a rating", "0 rows"]),
    ] {
        let message = message(text, &params(scale));
        for part in parts {
            assert!(message.contains(part), "{message}");
        }
    }
    assert!(message(good, &RatingsParams::wide("image", &[])).contains("each rater"));
    let limits = Limits {
        max_cells: 8,
        ..Limits::default()
    };
    let small = RatingsTable::from_table(&table(good), &params([1.0, 9.0]), &limits).unwrap();
    let names = ["a", "b", "c", "d", "e"];
    let message = small.aligned(&names).unwrap_err().to_string();
    assert!(message.contains("max_cells"), "{message}");
}

#[test]
fn only_what_says_so_rejects() {
    for kept in ["", " ", "Keep", "KEEP ", "false", "No", "0", "0.0", "NaN"] {
        assert!(!is_rejected(kept), "{kept:?}");
    }
    for rejected in ["Reject", "True", "1", "yes", "blurred"] {
        assert!(is_rejected(rejected), "{rejected:?}");
    }
}

proptest! {
    /// A matrix written out wide or long, in any order of pictures, comes back.
    #[test]
    fn matrices_round_trip(n in 1..6_usize, k in 1..5_usize, holes in any::<u32>(), seed in any::<u64>()) {
        let hole = |i: usize, j: usize| j > 0 && holes >> ((i * 5 + j) % 32) & 1 == 1;
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|&i| (i as u64 + 1).wrapping_mul(seed | 1));
        let columns: Vec<String> = (0..k).map(|j| format!("r{j}")).collect();
        let mut wide = format!("image,{}\n", columns.join(","));
        let mut long = "note,rating,rater,image\n".to_owned();
        for &i in &order {
            wide += &format!("p{i}.png");
            for (j, column) in columns.iter().enumerate() {
                let cell = if hole(i, j) { String::new() } else { (i * 10 + j).to_string() };
                wide += &format!(",{cell}");
                long += &format!("?,{cell},{column},p{i}.png\n");
            }
            wide += "\n";
        }
        let names: Vec<String> = (0..n).map(|i| format!("p{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let form = RatingsForm::Long { rating: "rating".into(), rater: "rater".into(), reject: None };
        let of_wide = read(&wide, &RatingsParams::wide("image", &columns)).unwrap().aligned(&names).unwrap();
        let of_long = read(&long, &RatingsParams::new("image", form)).unwrap().aligned(&names).unwrap();
        prop_assert_eq!(&of_wide.mean, &of_long.mean);
        prop_assert_eq!(&of_wide.raters, &of_long.raters);
        for (i, row) in of_wide.values.rows().into_iter().enumerate() {
            for (value, rater) in row.iter().zip(&of_wide.raters) {
                let j: usize = rater[1..].parse().unwrap();
                let expected = if hole(i, j) { f64::NAN } else { (i * 10 + j) as f64 };
                prop_assert!(value.total_cmp(&expected).is_eq());
            }
        }
    }
}

/// A file as the program of Liu et al. 2026 reads it, with a line end of its own.
fn released(line_end: &str, rows: &[&str]) -> Result<RatingsTable> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ratings.csv");
    let text: String = rows.iter().map(|row| format!("{row}{line_end}")).collect();
    std::fs::write(&path, text).unwrap();
    let params = RatingsParams {
        scale: Some([1.0, 9.0]),
        ..RatingsParams::wide("file", &["valence"])
    };
    RatingsTable::read(&path, &params)
}

#[test]
fn tables_without_a_header_have_picture_ending_arousal_valence() {
    for line_end in ["\n", "\r\n", "\r"] {
        let rows = [
            "1001 ,jpg,5.5,3.25",
            "Crosswalk 1 ,jpg,2,7",
            "1003.2,jpg, 4 ,5 ",
        ];
        let found = released(line_end, &rows).unwrap();
        let found = found.aligned(&["1003.2.jpg", "1001.jpg", "Crosswalk 1.jpg"]);
        let means = [Some(5.0), Some(3.25), Some(7.0)];
        assert_eq!(found.unwrap().mean, means, "{line_end:?}");
    }
}

#[test]
fn a_header_is_a_header_wherever_its_columns_are() {
    let rows = ["file,ending,arousal,valence", "1001,jpg,5.5,3.25"];
    let found = released("\n", &rows).unwrap().aligned(&["1001"]).unwrap();
    assert_eq!(found.mean, [Some(3.25)]);
    let rows = ["file,valence,arousal", "1001,3.25,5.5"];
    let found = released("\n", &rows).unwrap().aligned(&["1001"]).unwrap();
    assert_eq!(found.mean, [Some(3.25)]);
}

#[test]
fn tables_with_and_without_a_header_are_not_mixed() {
    let rows = [
        "1001,jpg,5.5,3.25",
        "file,ending,arousal,valence",
        "1002,jpg,5,3",
    ];
    let message = released("\n", &rows).unwrap_err().to_string();
    assert!(
        message.contains("row 2") && message.contains("header"),
        "{message}"
    );
    // The other way round, what stands for a rating is named with its row.
    let rows = [
        "file,ending,arousal,valence",
        "a,jpg,5,3",
        "file,ending,arousal,valence",
    ];
    let message = released("\n", &rows).unwrap_err().to_string();
    assert!(message.contains("valence"), "{message}");
    let rows = ["1001,jpg,5.5,3.25", "1002,jpg,5,12"];
    let message = released("\n", &rows).unwrap_err().to_string();
    assert!(message.contains("row 2, column valence: 12"), "{message}");
}
