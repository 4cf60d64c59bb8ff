//! The animate categories: face, quadruped, bird, fish.

use std::f64::consts::{PI, TAU};

use super::{
    canvas::{Outline, Paint, Point},
    colour::{Rgb, hsv, mix, shade},
    scene::Scene,
};

const DARK: Rgb = [0.12, 0.10, 0.11];

/// Skin from light to dark.
const SKINS: [Rgb; 6] = [
    [0.98, 0.84, 0.74],
    [0.93, 0.74, 0.60],
    [0.82, 0.62, 0.46],
    [0.68, 0.47, 0.33],
    [0.52, 0.34, 0.24],
    [0.38, 0.25, 0.18],
];

/// A face from the front: identity (skin, hair, glasses), head turn, gaze and expression vary.
pub(super) fn face(scene: &mut Scene) {
    scene.pose.scale *= 1.08;
    let skin = scene.dice.pick(&SKINS);
    let clothes = scene.coat();
    let hair = if scene.dice.chance(0.75) {
        let natural = [
            [0.10, 0.08, 0.08],
            [0.30, 0.19, 0.12],
            [0.55, 0.36, 0.18],
            [0.86, 0.70, 0.40],
            [0.62, 0.27, 0.13],
            [0.78, 0.77, 0.76],
        ];
        scene.dice.pick(&natural)
    } else {
        hsv(scene.dice.unit(), 0.6, 0.75)
    };
    let width = scene.dice.uniform(0.47, 0.56);
    let turn = scene.dice.uniform(-0.11, 0.11);
    let style = scene.dice.below(5);

    let long = style == 1 || style == 2;
    if long {
        let drop = scene.dice.uniform(0.35, 0.8);
        let mane = Outline::smooth(&[
            [0.0, -0.93],
            [width + 0.14, -0.62],
            [width + 0.19, 0.0],
            [width + 0.1, drop],
            [0.0, drop - 0.1],
            [-width - 0.1, drop],
            [-width - 0.19, 0.0],
            [-width - 0.14, -0.62],
        ]);
        scene.fill(&mane, Paint::round(shade(hair, 0.85)));
    }
    let neck = Outline::stroke(&[[0.0, 0.4], [0.0, 0.85]], [0.2, 0.22]);
    scene.fill(&neck, Paint::flat(shade(skin, 0.8)));
    let shoulders = Outline::smooth(&[
        [0.0, 0.74],
        [0.5, 0.8],
        [0.8, 1.05],
        [0.82, 1.4],
        [-0.82, 1.4],
        [-0.8, 1.05],
        [-0.5, 0.8],
    ]);
    let cloth = scene.pattern(clothes);
    scene.fill(&shoulders, Paint::round(clothes).with(cloth));

    if !long {
        for side in [-1.0, 1.0] {
            let ear = Outline::ellipse([side * width, 0.02], [0.1, 0.15], 0.0);
            scene.fill(&ear, Paint::flat(shade(skin, 0.86)));
        }
    }
    let head = Outline::smooth(&[
        [0.0, -0.74],
        [0.8 * width, -0.58],
        [width, -0.1],
        [0.82 * width, 0.38],
        [0.0, 0.68],
        [-0.82 * width, 0.38],
        [-width, -0.1],
        [-0.8 * width, -0.58],
    ]);
    scene.fill(
        &head,
        Paint {
            relief: 0.14,
            ..Paint::flat(skin)
        },
    );
    hairline(scene, hair, width, style);
    features(scene, skin, hair, turn);
}

/// The hair above the forehead.
fn hairline(scene: &mut Scene, hair: Rgb, width: f64, style: usize) {
    match style {
        // Bald.
        0 => {}
        // Curls.
        3 => {
            for i in 0..9 {
                let angle = PI * (1.0 + f64::from(i) / 8.0);
                let centre = [1.02 * width * angle.cos(), -0.3 + 0.46 * angle.sin()];
                let curl = Outline::ellipse(centre, [0.19, 0.19], 0.0);
                scene.fill(&curl, Paint::round(hair));
            }
        }
        // A fringe that is parted somewhere.
        _ => {
            let parting = scene.dice.uniform(-0.25, 0.25);
            let fringe = Outline::smooth(&[
                [-width - 0.04, -0.12],
                [-width - 0.02, -0.55],
                [0.0, -0.92],
                [width + 0.02, -0.55],
                [width + 0.04, -0.12],
                [0.72 * width, -0.4],
                [parting, -0.5],
                [-0.72 * width, -0.4],
            ]);
            scene.fill(&fringe, Paint::round(hair));
        }
    }
}

/// Eyes, brows, nose, mouth and sometimes glasses, moved sideways by the head's turn.
fn features(scene: &mut Scene, skin: Rgb, hair: Rgb, turn: f64) {
    let gaze = scene.dice.uniform(-0.03, 0.03);
    let iris = hsv(scene.dice.uniform(0.05, 0.65), 0.6, 0.45);
    let brow_tilt = scene.dice.uniform(-0.09, 0.09);
    let openness = scene.dice.uniform(0.75, 1.15);
    let glasses = scene.dice.chance(0.25);
    for side in [-1.0, 1.0] {
        let x = turn + 0.235 * side;
        let white = Outline::ellipse([x, -0.1], [0.125, 0.088 * openness], 0.0);
        scene.fill(&white, Paint::flat([0.98, 0.98, 0.97]));
        let disc = Outline::ellipse([x + gaze, -0.1], [0.072, 0.08 * openness], 0.0);
        scene.fill(&disc, Paint::flat(iris));
        let pupil = Outline::ellipse([x + gaze, -0.1], [0.04, 0.045], 0.0);
        scene.fill(&pupil, Paint::flat(DARK));
        let (inner, outer) = (-0.28 + brow_tilt, -0.28 - 0.5 * brow_tilt);
        let brow = Outline::stroke(
            &[
                [x - 0.13 * side, inner],
                [x, -0.305],
                [x + 0.13 * side, outer],
            ],
            [0.034, 0.026],
        );
        scene.fill(&brow, Paint::flat(mix(hair, DARK, 0.45)));
        let cheek = Outline::ellipse([turn + 0.31 * side, 0.17], [0.11, 0.08], 0.0);
        scene.fill(&cheek, Paint::flat([0.9, 0.3, 0.3]).faint(0.16));
        if glasses {
            let rim: Vec<Point> = (0..=16)
                .map(|i| {
                    let (sin, cos) = (TAU * f64::from(i) / 16.0).sin_cos();
                    [x + 0.19 * cos, 0.19 * sin - 0.1]
                })
                .collect();
            let temple = [[x + 0.19 * side, -0.12], [x + 0.3 * side, -0.14]];
            for line in [rim.as_slice(), &temple] {
                scene.fill(&Outline::stroke(line, [0.025; 2]), Paint::flat(DARK));
            }
        }
    }
    let nose = Outline::stroke(
        &[
            [turn, -0.02],
            [1.5 * turn + 0.03, 0.15],
            [1.4 * turn - 0.04, 0.17],
        ],
        [0.022, 0.04],
    );
    scene.fill(&nose, Paint::flat(shade(skin, 0.76)));

    let smile = scene.dice.uniform(-0.09, 0.16);
    let open = scene.dice.uniform(0.0, 0.16);
    let half = scene.dice.uniform(0.17, 0.25);
    let lip = |t: f64, drop: f64| [turn + half * t, 0.37 + drop - smile * t * t];
    let mouth = Outline::smooth(&[
        lip(-1.0, 0.0),
        lip(-0.5, 0.0),
        lip(0.5, 0.0),
        lip(1.0, 0.0),
        lip(0.6, 0.05 + 0.7 * open),
        lip(0.0, 0.06 + open),
        lip(-0.6, 0.05 + 0.7 * open),
    ]);
    scene.fill(&mouth, Paint::flat([0.62, 0.16, 0.18]));
    if open > 0.07 {
        let teeth = Outline::smooth(&[lip(-0.6, 0.015), lip(0.6, 0.015), lip(0.0, 0.06)]);
        scene.fill(&teeth, Paint::flat([0.97, 0.96, 0.93]));
    }
}

/// A walking four-legged animal, from dachshund to horse to giraffe-necked.
pub(super) fn quadruped(scene: &mut Scene) {
    scene.pose.scale *= 1.1;
    let coat = scene.coat();
    let pattern = scene.pattern(coat);
    let leg = scene.dice.uniform(0.3, 0.6);
    let length = scene.dice.uniform(0.42, 0.6);
    let girth = scene.dice.uniform(0.2, 0.3);
    let neck = scene.dice.uniform(0.18, 0.5);
    let back = 0.92 - leg - girth;
    let feet = 0.93;

    scene.ground_shadow(feet, length + 0.2);
    let stride = scene.dice.uniform(0.02, 0.16);
    for (x, swing) in [(-length + 0.1, -stride), (length - 0.12, -stride)] {
        walk(
            scene,
            [x + 0.07, back],
            [x + 0.07 + swing, feet - 0.02],
            shade(coat, 0.66),
        );
    }
    tail(scene, [-length - 0.05, back - 0.1], coat);

    let shoulder = [length - 0.08, back - 0.06];
    let head = [length + 0.12 + 0.25 * neck, back - 0.2 - neck];
    let neck_line = Outline::stroke(&[shoulder, head], [0.75 * girth, 0.13]);
    scene.fill(&neck_line, Paint::round(coat).with(pattern));
    let body = Outline::smooth(&[
        [-length - 0.1, back - 0.05],
        [-0.7 * length, back - girth],
        [0.0, back - 0.85 * girth],
        [0.75 * length, back - girth],
        [length + 0.1, back],
        [0.7 * length, back + girth],
        [0.0, back + 0.85 * girth],
        [-0.75 * length, back + 0.95 * girth],
    ]);
    scene.fill(&body, Paint::round(coat).with(pattern));
    for (x, swing) in [(-length + 0.1, stride), (length - 0.12, stride)] {
        walk(
            scene,
            [x, back + 0.4 * girth],
            [x + swing, feet],
            shade(coat, 0.93),
        );
    }
    snout(scene, head, coat);
}

/// One leg with its hoof or paw.
fn walk(scene: &mut Scene, hip: Point, foot: Point, colour: Rgb) {
    let knee = [0.5 * (hip[0] + foot[0]) + 0.03, 0.5 * (hip[1] + foot[1])];
    let leg = Outline::stroke(&[hip, knee, foot], [0.13, 0.07]);
    scene.fill(&leg, Paint::flat(colour));
    let paw = Outline::ellipse([foot[0] + 0.03, foot[1] + 0.02], [0.1, 0.055], 0.0);
    scene.fill(&paw, Paint::flat(shade(colour, 0.55)));
}

/// A raised, hanging or bushy tail.
fn tail(scene: &mut Scene, [x, y]: Point, coat: Rgb) {
    let lift = scene.dice.uniform(-0.5, 0.4);
    let points = [
        [x + 0.1, y],
        [x - 0.12, y + 0.3 * lift],
        [x - 0.2, y + lift],
    ];
    let radii = scene.dice.pick(&[[0.05, 0.03], [0.06, 0.1], [0.04, 0.04]]);
    scene.fill(
        &Outline::stroke(&points, radii),
        Paint::flat(shade(coat, 0.8)),
    );
}

/// Head, ears, eye and nose of an animal that looks to the right.
fn snout(scene: &mut Scene, [x, y]: Point, coat: Rgb) {
    let long = scene.dice.uniform(0.16, 0.34);
    let ears = scene.dice.below(3);
    let dark = shade(coat, 0.7);
    if ears == 0 {
        for dx in [-0.14, 0.02] {
            let ear = Outline::polygon(&[
                [x + dx - 0.06, y - 0.1],
                [x + dx + 0.01, y - 0.36],
                [x + dx + 0.12, y - 0.1],
            ]);
            scene.fill(
                &ear,
                Paint::flat(if dx < 0.0 { dark } else { shade(coat, 0.85) }),
            );
        }
    }
    let muzzle = Outline::stroke(&[[x, y], [x + long, y + 0.1]], [0.2, 0.125]);
    scene.fill(&muzzle, Paint::round(coat));
    let nose = Outline::ellipse([x + long + 0.09, y + 0.06], [0.055, 0.05], 0.0);
    scene.fill(&nose, Paint::flat(DARK));
    match ears {
        // Hanging.
        1 => {
            let ear = Outline::stroke(&[[x - 0.1, y - 0.12], [x - 0.17, y + 0.16]], [0.07, 0.1]);
            scene.fill(&ear, Paint::flat(dark));
        }
        // Round.
        2 => {
            for dx in [-0.13, 0.04] {
                let ear = Outline::ellipse([x + dx, y - 0.2], [0.09, 0.1], 0.0);
                scene.fill(&ear, Paint::flat(dark));
            }
        }
        _ => {}
    }
    scene.eye([x + 0.07, y - 0.05], 0.065);
}

/// A bird: perched on a branch, or in the air with its wing raised.
pub(super) fn bird(scene: &mut Scene) {
    let flying = scene.dice.chance(0.4);
    if flying {
        scene.pose.angle += scene.dice.uniform(-0.35, 0.2);
    }
    let coat = scene.coat();
    let pattern = scene.pattern(coat);
    let belly = mix(coat, [1.0, 0.98, 0.92], scene.dice.uniform(0.2, 0.7));
    let wing = if scene.dice.chance(0.5) {
        shade(coat, 0.7)
    } else {
        scene.accent(coat)
    };
    let beak = scene
        .dice
        .pick(&[[0.96, 0.66, 0.15], [0.85, 0.35, 0.16], [0.25, 0.22, 0.22]]);
    let plump = scene.dice.uniform(0.3, 0.42);
    let tail = scene.dice.uniform(0.35, 0.6);

    if !flying {
        let bark = [0.35, 0.25, 0.18];
        let branch = Outline::stroke(&[[-1.2, 0.8], [0.1, 0.74], [1.2, 0.82]], [0.07, 0.05]);
        scene.fill(&branch, Paint::flat(bark));
        for x in [-0.06, 0.14] {
            let leg = Outline::stroke(&[[x, 0.4], [x + 0.03, 0.72]], [0.028, 0.028]);
            scene.fill(&leg, Paint::flat(shade(beak, 0.85)));
        }
    }
    let fan = Outline::polygon(&[
        [-0.3, 0.0],
        [-0.45 - tail, 0.16],
        [-0.5 - tail, 0.3],
        [-0.4 - tail, 0.42],
        [-0.25, 0.3],
    ]);
    scene.fill(&fan, Paint::flat(shade(wing, 0.85)));
    if flying {
        raised_wing(scene, shade(wing, 0.7), 0.2);
    }
    let body = Outline::smooth(&[
        [-0.5, 0.14],
        [-0.2, -0.16],
        [0.25, -0.26],
        [0.48, 0.0],
        [0.34, 0.1 + 0.8 * plump],
        [-0.1, 0.16 + plump],
        [-0.42, 0.34],
    ]);
    scene.fill(&body, Paint::round(coat).with(pattern));
    let breast = Outline::ellipse([0.16, 0.24], [0.27, 0.72 * plump], -0.5);
    scene.fill(&breast, Paint::flat(belly).faint(0.85));

    let head = [0.36, -0.38];
    let bill = scene.dice.uniform(0.24, 0.42);
    let tip = Outline::polygon(&[
        [head[0] + 0.18, head[1] - 0.11],
        [head[0] + 0.2 + bill, head[1] + 0.05],
        [head[0] + 0.16, head[1] + 0.14],
    ]);
    scene.fill(&tip, Paint::flat(beak));
    if scene.dice.chance(0.3) {
        let crest = Outline::polygon(&[
            [head[0] + 0.08, head[1] - 0.2],
            [head[0] - 0.28, head[1] - 0.46],
            [head[0] - 0.18, head[1] - 0.05],
        ]);
        scene.fill(&crest, Paint::flat(wing));
    }
    let skull = Outline::ellipse(head, [0.28, 0.26], 0.0);
    scene.fill(&skull, Paint::round(coat));
    scene.eye([head[0] + 0.09, head[1] - 0.05], 0.075);

    if flying {
        raised_wing(scene, wing, 0.0);
    } else {
        let folded = Outline::smooth(&[
            [0.18, -0.06],
            [0.2, 0.16],
            [-0.1, 0.36],
            [-0.66, 0.4],
            [-0.36, 0.1],
            [-0.1, -0.1],
        ]);
        scene.fill(&folded, Paint::round(wing));
        for y in [0.14, 0.25] {
            let line = Outline::stroke(&[[0.02, y], [-0.45, y + 0.1]], [0.018, 0.012]);
            scene.fill(&line, Paint::flat(shade(wing, 0.7)));
        }
    }
}

/// A wing spread upwards, `dx` further ahead.
fn raised_wing(scene: &mut Scene, colour: Rgb, dx: f64) {
    let wing = Outline::smooth(&[
        [0.2 + dx, 0.06],
        [0.12 + dx, -0.5],
        [-0.2 + dx, -1.0],
        [-0.4 + dx, -0.86],
        [-0.48 + dx, -0.55],
        [-0.42 + dx, -0.2],
        [-0.2 + dx, 0.12],
    ]);
    scene.fill(&wing, Paint::round(colour));
    for (x, y) in [(-0.3, -0.85), (-0.36, -0.55), (-0.32, -0.25)] {
        let quill = Outline::stroke(&[[0.05 + dx, 0.0], [x + dx, y]], [0.02, 0.012]);
        scene.fill(&quill, Paint::flat(shade(colour, 0.75)));
    }
}

/// A fish: slim or tall, with varied fins, in any direction.
pub(super) fn fish(scene: &mut Scene) {
    scene.pose.angle += scene.dice.uniform(-0.3, 0.3);
    let coat = scene.coat();
    let pattern = scene.pattern(coat);
    let fin = if scene.dice.chance(0.5) {
        shade(coat, 0.72)
    } else {
        scene.accent(coat)
    };
    let tall = scene.dice.uniform(0.3, 0.58);
    let fork = scene.dice.uniform(0.0, 0.22);
    let spread = scene.dice.uniform(0.32, 0.5);

    let caudal = Outline::smooth(&[
        [-0.5, 0.0],
        [-0.95, -spread],
        [-1.02 + 0.5 * fork, -0.5 * spread],
        [-0.98 + fork, 0.0],
        [-1.02 + 0.5 * fork, 0.5 * spread],
        [-0.95, spread],
    ]);
    scene.fill(&caudal, Paint::round(fin));
    let crest = scene.dice.uniform(0.12, 0.38);
    let dorsal = Outline::smooth(&[
        [0.35, -0.7 * tall],
        [0.1, -0.85 * tall - crest],
        [-0.4, -0.6 * tall - 0.8 * crest],
        [-0.45, -0.4 * tall],
        [0.0, -0.5 * tall],
    ]);
    scene.fill(&dorsal, Paint::flat(fin));
    let ventral = Outline::smooth(&[
        [0.1, 0.8 * tall],
        [-0.12, 0.85 * tall + 0.22],
        [-0.36, 0.7 * tall + 0.14],
        [-0.3, 0.55 * tall],
    ]);
    scene.fill(&ventral, Paint::flat(fin));
    let body = Outline::smooth(&[
        [0.88, 0.02],
        [0.62, -0.66 * tall],
        [0.15, -tall],
        [-0.35, -0.62 * tall],
        [-0.68, -0.08],
        [-0.68, 0.08],
        [-0.35, 0.62 * tall],
        [0.15, tall],
        [0.62, 0.62 * tall],
    ]);
    scene.fill(&body, Paint::round(coat).with(pattern));
    let gill = Outline::stroke(
        &[[0.38, -0.55 * tall], [0.27, 0.0], [0.38, 0.55 * tall]],
        [0.025, 0.025],
    );
    scene.fill(&gill, Paint::flat(shade(coat, 0.6)));
    let pectoral = Outline::smooth(&[[0.24, 0.1], [-0.04, 0.06], [-0.14, 0.3], [0.1, 0.32]]);
    scene.fill(&pectoral, Paint::flat(fin));
    let mouth = Outline::stroke(&[[0.84, 0.1], [0.7, 0.13]], [0.025, 0.02]);
    scene.fill(&mouth, Paint::flat(DARK));
    scene.eye([0.58, -0.22 * tall], 0.1);
}
