//! The inanimate categories: house, tree, cup, car.

use std::f64::consts::{PI, TAU};

use super::{
    canvas::{Outline, Paint, Point},
    colour::{Rgb, hsv, mix, shade},
    scene::Scene,
};

fn rectangle(left: f64, top: f64, right: f64, bottom: f64) -> Outline {
    Outline::polygon(&[[left, top], [right, top], [right, bottom], [left, bottom]])
}

/// A house in slight perspective: a gabled front and a side wall under one roof.
pub(super) fn house(scene: &mut Scene) {
    scene.pose.angle *= 0.4;
    let wall = scene.coat();
    let pattern = scene.pattern(wall);
    let roof = scene.accent(wall);
    let trim = mix(wall, [1.0; 3], 0.7);
    let door = scene.accent(wall);
    let lit = if scene.dice.chance(0.35) {
        [1.0, 0.88, 0.5]
    } else {
        [0.45, 0.6, 0.75]
    };

    let eaves = scene.dice.uniform(-0.3, 0.05);
    let ridge = eaves - scene.dice.uniform(0.4, 0.62);
    let (left, corner, right) = (-0.8, scene.dice.uniform(-0.05, 0.3), 0.8);
    let (ground, back) = (0.85, 0.76);
    let middle = 0.5 * (left + corner);

    scene.ground_shadow(ground, 0.9);
    let side = Outline::polygon(&[
        [corner, eaves],
        [right, eaves],
        [right, back],
        [corner, ground],
    ]);
    scene.fill(&side, Paint::flat(shade(wall, 0.72)));
    if scene.dice.chance(0.6) {
        let x = scene.dice.uniform(0.25, 0.45);
        let chimney = rectangle(x, ridge - 0.2, x + 0.17, ridge + 0.3);
        scene.fill(&chimney, Paint::flat([0.52, 0.3, 0.25]));
    }
    let front = Outline::polygon(&[
        [left, ground],
        [left, eaves],
        [middle, ridge],
        [corner, eaves],
        [corner, ground],
    ]);
    scene.fill(&front, Paint::flat(wall).with(pattern));
    let far = middle + (right - corner);
    let slope = Outline::polygon(&[
        [middle, ridge - 0.05],
        [far, ridge - 0.05],
        [right + 0.1, eaves + 0.06],
        [corner + 0.06, eaves + 0.08],
    ]);
    scene.fill(&slope, Paint::flat(roof));
    let verge = Outline::stroke(
        &[[left - 0.08, eaves + 0.08], [middle, ridge - 0.02]],
        [0.06, 0.06],
    );
    scene.fill(&verge, Paint::flat(shade(roof, 0.8)));

    let entrance = middle + scene.dice.uniform(-0.14, 0.14);
    scene.fill(
        &rectangle(entrance - 0.13, 0.33, entrance + 0.13, ground),
        Paint::flat(door),
    );
    let knob = Outline::ellipse([entrance + 0.07, 0.6], [0.03, 0.03], 0.0);
    scene.fill(&knob, Paint::flat([0.95, 0.8, 0.3]));
    let attic = scene.dice.chance(0.6);
    if attic {
        window(scene, [middle, eaves + 0.04], [0.14, 0.14], trim, lit);
    }
    let panes = 1 + scene.dice.below(2);
    let span = right - corner;
    for i in 0..panes {
        let x = corner + span * (i as f64 + 0.5) / panes as f64;
        window(
            scene,
            [x, 0.5 * (eaves + back)],
            [0.13, 0.17],
            shade(trim, 0.85),
            shade(lit, 0.85),
        );
    }
}

/// A framed window with a cross bar.
fn window(scene: &mut Scene, [x, y]: Point, [w, h]: Point, frame: Rgb, glass: Rgb) {
    scene.fill(&rectangle(x - w, y - h, x + w, y + h), Paint::flat(frame));
    for (dx, dy) in [(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)] {
        let (cx, cy) = (x + 0.9 * w * dx, y + 0.9 * h * dy);
        let pane = rectangle(cx - 0.35 * w, cy - 0.35 * h, cx + 0.35 * w, cy + 0.35 * h);
        scene.fill(&pane, Paint::flat(glass));
    }
}

/// A tree in any season: round-crowned, conifer or palm.
pub(super) fn tree(scene: &mut Scene) {
    scene.pose.angle *= 0.6;
    let bark = scene
        .dice
        .pick(&[[0.36, 0.24, 0.16], [0.5, 0.38, 0.28], [0.75, 0.72, 0.68]]);
    let leaves = if scene.dice.chance(0.5) {
        hsv(
            scene.dice.uniform(0.2, 0.42),
            scene.dice.uniform(0.4, 0.8),
            scene.dice.uniform(0.3, 0.7),
        )
    } else {
        scene.coat()
    };
    scene.ground_shadow(0.95, 0.5);
    match scene.dice.below(3) {
        0 => conifer(scene, bark, leaves),
        1 => palm(scene, bark, leaves),
        _ => broadleaf(scene, bark, leaves),
    }
}

fn broadleaf(scene: &mut Scene, bark: Rgb, leaves: Rgb) {
    let lean = scene.dice.uniform(-0.12, 0.12);
    let trunk = Outline::stroke(
        &[[0.0, 0.92], [0.4 * lean, 0.4], [lean, -0.2]],
        [0.15, 0.08],
    );
    scene.fill(&trunk, Paint::flat(bark));
    for side in [-1.0, 1.0] {
        let bough = Outline::stroke(
            &[[0.5 * lean, 0.3], [lean + 0.4 * side, -0.1]],
            [0.07, 0.04],
        );
        scene.fill(&bough, Paint::flat(shade(bark, 0.9)));
    }
    let clumps = 6 + scene.dice.below(3);
    let start = scene.dice.uniform(0.0, TAU);
    for i in 0..clumps {
        let angle = start + TAU * i as f64 / clumps as f64;
        let radius = scene.dice.uniform(0.26, 0.36);
        let centre = [lean + 0.46 * angle.cos(), -0.32 + 0.34 * angle.sin()];
        let colour = shade(leaves, scene.dice.uniform(0.82, 1.0));
        scene.fill(
            &Outline::ellipse(centre, [radius, radius], 0.0),
            Paint::round(colour),
        );
    }
    let heart = Outline::ellipse([lean, -0.34], [0.42, 0.36], 0.0);
    scene.fill(&heart, Paint::round(leaves));
    if scene.dice.chance(0.45) {
        let fruit = scene.accent(leaves);
        for _ in 0..9 {
            let (angle, reach) = (scene.dice.uniform(0.0, TAU), scene.dice.unit().sqrt());
            let centre = [
                lean + 0.6 * reach * angle.cos(),
                -0.32 + 0.5 * reach * angle.sin(),
            ];
            scene.fill(
                &Outline::ellipse(centre, [0.065, 0.065], 0.0),
                Paint::round(fruit),
            );
        }
    }
}

fn conifer(scene: &mut Scene, bark: Rgb, leaves: Rgb) {
    scene.fill(&rectangle(-0.1, 0.5, 0.1, 0.94), Paint::flat(bark));
    let tiers = 3 + scene.dice.below(2);
    let wide = scene.dice.uniform(0.5, 0.7);
    for i in 0..tiers {
        let t = i as f64 / (tiers - 1) as f64;
        let half = wide * (1.0 - 0.5 * t);
        let bottom = 0.66 - 1.0 * t;
        let tier = Outline::polygon(&[
            [-half, bottom],
            [0.0, bottom - 0.68],
            [half, bottom],
            [0.5 * half, bottom + 0.05],
            [0.0, bottom + 0.09],
            [-0.5 * half, bottom + 0.05],
        ]);
        scene.fill(&tier, Paint::round(shade(leaves, 0.8 + 0.25 * t)));
    }
}

fn palm(scene: &mut Scene, bark: Rgb, leaves: Rgb) {
    let bend = scene.dice.uniform(-0.3, 0.3);
    let top = [bend, -0.4];
    let trunk = Outline::stroke(&[[0.0, 0.93], [0.2 * bend, 0.3], top], [0.11, 0.07]);
    scene.fill(&trunk, Paint::flat(bark));
    let fronds = 7 + scene.dice.below(3);
    for i in 0..fronds {
        let angle = -PI * (i as f64 + 0.5) / fronds as f64;
        let (sin, cos) = angle.sin_cos();
        let frond = Outline::smooth(&[
            top,
            [top[0] + 0.4 * cos - 0.06, top[1] + 0.42 * sin - 0.1],
            [top[0] + 0.85 * cos, top[1] + 0.5 * sin + 0.32 * cos.abs()],
            [top[0] + 0.42 * cos + 0.04, top[1] + 0.3 * sin + 0.1],
        ]);
        let colour = shade(leaves, scene.dice.uniform(0.8, 1.05));
        scene.fill(&frond, Paint::round(colour));
    }
    for dx in [-0.08, 0.08] {
        let coconut = Outline::ellipse([top[0] + dx, top[1] + 0.08], [0.075, 0.075], 0.0);
        scene.fill(&coconut, Paint::round([0.4, 0.27, 0.16]));
    }
}

/// A cup: straight, tapered or bellied, sometimes on a saucer, sometimes steaming.
pub(super) fn cup(scene: &mut Scene) {
    let glaze = scene.coat();
    let pattern = scene.pattern(glaze);
    let top = scene.dice.uniform(-0.62, -0.35);
    let bottom = 0.7;
    let rim = scene.dice.uniform(0.48, 0.62);
    let foot = rim * scene.dice.uniform(0.6, 1.0);
    let belly = 0.5 * (rim + foot) * scene.dice.uniform(1.0, 1.12);
    let ellipse_height = scene.dice.uniform(0.1, 0.17);
    let centre = -0.15;

    scene.ground_shadow(bottom + 0.08, 0.65);
    if scene.dice.chance(0.45) {
        let plate = scene.accent(glaze);
        for (y, w) in [(0.78, 0.92), (0.74, 0.8)] {
            let saucer = Outline::ellipse([centre, y], [w, 0.17], 0.0);
            scene.fill(
                &saucer,
                Paint::round(shade(plate, if w > 0.9 { 0.8 } else { 1.0 })),
            );
        }
    }
    let reach = scene.dice.uniform(0.3, 0.42);
    let high = top + 0.2;
    let low = high + scene.dice.uniform(0.5, 0.66);
    let handle = Outline::stroke(
        &[
            [centre + 0.85 * rim, high],
            [centre + rim + 0.8 * reach, high + 0.02],
            [centre + rim + reach, 0.5 * (high + low)],
            [centre + 0.95 * rim + 0.5 * reach, low],
            [centre + 0.85 * foot, low + 0.04],
        ],
        [0.085, 0.075],
    );
    scene.fill(&handle, Paint::flat(shade(glaze, 0.82)));
    let mut wall: Vec<Point> = vec![[centre - rim, top]];
    wall.extend((0..=8).map(|i| {
        let angle = PI - PI * f64::from(i) / 8.0;
        [
            centre + foot * angle.cos(),
            bottom + 0.7 * ellipse_height * angle.sin(),
        ]
    }));
    wall.insert(1, [centre - belly, 0.5 * (top + bottom)]);
    wall.push([centre + belly, 0.5 * (top + bottom)]);
    wall.push([centre + rim, top]);
    scene.fill(&Outline::polygon(&wall), Paint::round(glaze).with(pattern));
    let lip = Outline::ellipse([centre, top], [rim, ellipse_height], 0.0);
    scene.fill(&lip, Paint::flat(mix(glaze, [1.0; 3], 0.45)));
    let inside = Outline::ellipse(
        [centre, top + 0.01],
        [0.88 * rim, 0.78 * ellipse_height],
        0.0,
    );
    scene.fill(&inside, Paint::flat(shade(glaze, 0.6)));
    let drink = scene
        .dice
        .pick(&[[0.25, 0.14, 0.08], [0.55, 0.3, 0.12], [0.72, 0.55, 0.4]]);
    let surface = Outline::ellipse(
        [centre, top + 0.04],
        [0.78 * rim, 0.55 * ellipse_height],
        0.0,
    );
    scene.fill(&surface, Paint::flat(drink));
    if scene.dice.chance(0.4) {
        for dx in [-0.18, 0.14] {
            let x = centre + dx;
            let wisp = Outline::stroke(
                &[
                    [x, top - 0.08],
                    [x + 0.08, top - 0.22],
                    [x - 0.05, top - 0.36],
                    [x + 0.04, top - 0.5],
                ],
                [0.045, 0.02],
            );
            scene.fill(&wisp, Paint::flat([1.0; 3]).faint(0.5));
        }
    }
}

/// A car: hatchback, saloon, van or pick-up by its proportions.
pub(super) fn car(scene: &mut Scene) {
    scene.pose.scale *= 1.12;
    scene.pose.angle *= 0.7;
    let body = scene.coat();
    let pattern = scene.pattern(body);
    let waist = scene.dice.uniform(-0.02, 0.1);
    let roof = waist - scene.dice.uniform(0.34, 0.5);
    let bonnet = scene.dice.uniform(0.25, 0.55);
    let boot = scene.dice.uniform(0.0, 0.4);
    let rake = scene.dice.uniform(0.12, 0.32);
    let sill = 0.42;

    scene.ground_shadow(0.63, 0.95);
    let (rear, front) = (-0.97, 0.97);
    let (cabin_rear, cabin_front) = (rear + boot + 0.02, front - bonnet);
    let cabin = Outline::smooth(&[
        [cabin_rear, waist + 0.06],
        [cabin_rear + 0.4 * rake, roof + 0.08],
        [cabin_rear + 0.3, roof],
        [cabin_front - rake - 0.15, roof],
        [cabin_front - rake, roof + 0.05],
        [cabin_front, waist + 0.06],
    ]);
    scene.fill(&cabin, Paint::flat(shade(body, 0.92)));
    let glass = scene
        .dice
        .pick(&[[0.62, 0.78, 0.88], [0.25, 0.3, 0.36], [0.8, 0.88, 0.92]]);
    let pillar = 0.5 * (cabin_rear + cabin_front) - 0.1;
    for pane in [
        [
            [cabin_rear + 0.1, waist],
            [cabin_rear + 0.4 * rake + 0.1, roof + 0.09],
            [pillar - 0.04, roof + 0.08],
            [pillar - 0.04, waist],
        ],
        [
            [pillar + 0.04, waist],
            [pillar + 0.04, roof + 0.08],
            [cabin_front - rake - 0.06, roof + 0.1],
            [cabin_front - 0.1, waist],
        ],
    ] {
        scene.fill(&Outline::polygon(&pane), Paint::flat(glass));
    }
    let shell = Outline::smooth(&[
        [rear, waist + 0.12],
        [rear + 0.08, waist + 0.01],
        [0.0, waist],
        [cabin_front, waist + 0.01],
        [front - 0.06, waist + 0.08],
        [front, 0.5 * (waist + sill)],
        [front - 0.03, sill],
        [0.0, sill + 0.01],
        [rear + 0.03, sill],
    ]);
    scene.fill(&shell, Paint::round(body).with(pattern));
    let bumper = Outline::stroke(
        &[[rear + 0.04, sill - 0.02], [front - 0.04, sill - 0.02]],
        [0.045, 0.045],
    );
    scene.fill(&bumper, Paint::flat(shade(body, 0.5)));
    let door = Outline::stroke(
        &[[pillar, waist + 0.04], [pillar, sill - 0.08]],
        [0.015, 0.015],
    );
    scene.fill(&door, Paint::flat(shade(body, 0.6)));
    let handle = Outline::stroke(
        &[[pillar + 0.08, waist + 0.1], [pillar + 0.18, waist + 0.1]],
        [0.02, 0.02],
    );
    scene.fill(&handle, Paint::flat(shade(body, 0.5)));
    let head_light = Outline::ellipse([front - 0.07, waist + 0.15], [0.06, 0.05], 0.0);
    scene.fill(&head_light, Paint::flat([1.0, 0.95, 0.7]));
    let tail_light = Outline::ellipse([rear + 0.05, waist + 0.15], [0.045, 0.05], 0.0);
    scene.fill(&tail_light, Paint::flat([0.85, 0.12, 0.1]));

    let tyre = scene.dice.uniform(0.2, 0.25);
    let hub = scene
        .dice
        .pick(&[[0.85, 0.86, 0.88], [0.55, 0.56, 0.6], [0.95, 0.9, 0.75]]);
    for x in [-0.56, 0.58] {
        for (radius, colour) in [
            (tyre, [0.1, 0.1, 0.11]),
            (0.55 * tyre, hub),
            (0.2 * tyre, [0.3; 3]),
        ] {
            let ring = Outline::ellipse([x, sill], [radius, radius], 0.0);
            scene.fill(&ring, Paint::flat(colour));
        }
    }
}
