//! Where the boxes and edges of a diagram of nuclei go.

use consilience_core::EmotionModule;

/// What an edge does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// Its target reads its source.
    Reads,
    /// Its source inhibits its target.
    Inhibits,
    /// Its target gets what its source was a step before.
    Feedback,
}

/// An edge between two boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) link: Link,
}

/// Boxes in rows: box 0 is what the module reads, then come its nuclei in their order, then its ratings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    /// Boxes of each row, from left to right.
    pub(super) rows: Vec<Vec<usize>>,
    pub(super) edges: Vec<Edge>,
}

impl Layout {
    /// A box stands a row below the lowest of what it reads.
    pub(super) fn new(module: &EmotionModule) -> Self {
        let n = module.nuclei.len();
        // The name `visual` is that of no nucleus, or of one that hides what the module reads.
        let place = |name: &String| module.nuclei.iter().position(|n| n.name == *name);
        let index = |name: &String| place(name).map_or(0, |idx| idx + 1);
        let mut edges = Vec::new();
        let mut levels = vec![0; n + 2];
        for (idx, nucleus) in module.nuclei.iter().enumerate() {
            let to = idx + 1;
            let mut all = |names: &[String], link| {
                let of = names.iter().map(|name| Edge {
                    from: index(name),
                    to,
                    link,
                });
                edges.extend(of);
            };
            all(&nucleus.reads, Link::Reads);
            all(&nucleus.inhibited_by, Link::Inhibits);
            all(&nucleus.feedback, Link::Feedback);
            let above = edges
                .iter()
                .filter(|e| e.to == to && e.link != Link::Feedback);
            levels[to] = 1 + above.map(|e| levels[e.from]).max().unwrap_or(0);
        }
        let last = n + 1;
        edges.push(Edge {
            from: index(&module.read_out),
            to: last,
            link: Link::Reads,
        });
        levels[last] = 1 + levels.iter().copied().max().unwrap_or(0);
        let mut rows = vec![Vec::new(); levels[last] + 1];
        for (idx, &level) in levels.iter().enumerate() {
            rows[level].push(idx);
        }
        Self { rows, edges }
    }

    /// Row and place in it of a box.
    pub(super) fn place(&self, of: usize) -> (usize, usize) {
        let found = self.rows.iter().enumerate().find_map(|(row, boxes)| {
            let column = boxes.iter().position(|b| *b == of)?;
            Some((row, column))
        });
        found.unwrap_or((0, 0))
    }
}

/// Distance of lines that pass side by side.
const LANE: f64 = 8.0;
/// Distance of the first of them from a box.
const MARGIN: f64 = 14.0;

/// Lines that pass boxes: which places beside the boxes of each row are taken.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    /// Row, gap counted from the left, number of the place.
    taken: Vec<(usize, usize, usize)>,
}

impl Lanes {
    /// Where a line passes the rows from number `first` on: in the gaps nearest to its way so far and to its straight one,
    /// beside the lines that pass there already.
    ///
    /// `rows` holds the left and right ends of the boxes of each of these rows, `x` the ends of the line.
    pub(super) fn pass(
        &mut self,
        first: usize,
        rows: &[Vec<(f64, f64)>],
        x: (f64, f64),
    ) -> Vec<f64> {
        let n = rows.len() as f64 + 1.0;
        let straight = |idx: usize| x.0 + (x.1 - x.0) * (idx as f64 + 1.0) / n;
        let mut gaps = Vec::with_capacity(rows.len());
        let mut last = x.0;
        for (idx, boxes) in rows.iter().enumerate() {
            // The place that the line would get decides, so that a crowded side is left; it rather stays on its side than
            // goes straight.
            let at = |gap: usize| place(boxes, gap, self.free(&[(first + idx, gap)]));
            let cost = |gap: usize| (at(gap) - last).abs() + 0.3 * (at(gap) - straight(idx)).abs();
            let best = (0..=boxes.len()).min_by(|&a, &b| cost(a).total_cmp(&cost(b)));
            let gap = best.unwrap_or(0);
            last = at(gap);
            gaps.push(gap);
        }
        // One place all the way, so that a line does not swerve.
        let way: Vec<(usize, usize)> = gaps
            .iter()
            .enumerate()
            .map(|(idx, &gap)| (first + idx, gap))
            .collect();
        let k = self.free(&way);
        self.taken
            .extend(way.iter().map(|&(row, gap)| (row, gap, k)));
        rows.iter()
            .zip(gaps)
            .map(|(boxes, gap)| place(boxes, gap, k))
            .collect()
    }

    /// The first place that is free in all these gaps.
    fn free(&self, way: &[(usize, usize)]) -> usize {
        let is_taken = |k: usize| {
            let of_way = |t: &&(usize, usize, usize)| t.2 == k && way.contains(&(t.0, t.1));
            self.taken.iter().any(|t| of_way(&t))
        };
        (0..).find(|&k| !is_taken(k)).unwrap_or(0)
    }
}

/// Place number `k` of a gap: outwards beside the outer boxes, to both sides of the middle between two.
fn place(boxes: &[(f64, f64)], gap: usize, k: usize) -> f64 {
    let step = LANE * k as f64;
    let before = gap.checked_sub(1).and_then(|left| boxes.get(left));
    match (before, boxes.get(gap)) {
        (None, Some(right)) => right.0 - MARGIN - step,
        (Some(left), None) => left.1 + MARGIN + step,
        (Some(left), Some(right)) => {
            let side = if k.is_multiple_of(2) { 1.0 } else { -1.0 };
            let room = ((right.0 - left.1) / 2.0 - 2.0).max(0.0);
            let away = (LANE * k.div_ceil(2) as f64).min(room);
            (left.1 + right.0) / 2.0 + side * away
        }
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use consilience_core::NucleusInfo;

    fn nucleus(
        name: &str,
        reads: &[&str],
        inhibited_by: &[&str],
        feedback: &[&str],
    ) -> NucleusInfo {
        let owned = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect();
        NucleusInfo {
            name: name.into(),
            width: 4,
            unit: "linear".into(),
            reads: owned(reads),
            inhibited_by: owned(inhibited_by),
            feedback: owned(feedback),
            attention_entropy: None,
        }
    }

    fn module(nuclei: Vec<NucleusInfo>) -> EmotionModule {
        EmotionModule {
            encoder: "net".into(),
            layer: "last".into(),
            n_features: 8,
            n_tokens: None,
            structure: "own".into(),
            n_parameters: 10,
            read_out: nuclei.last().map_or_else(String::new, |n| n.name.clone()),
            nuclei,
            before: vec![],
            after: vec![],
            quantiles: vec![],
            plane: None,
            history: vec![],
            runs: vec![],
        }
    }

    #[test]
    fn boxes_stand_below_all_they_read() {
        let layout = Layout::new(&module(vec![
            nucleus("LA", &["visual"], &[], &[]),
            nucleus("B", &["LA"], &[], &["AB"]),
            nucleus("AB", &["LA"], &[], &["B"]),
            nucleus("CE", &["LA", "B"], &["AB"], &[]),
        ]));
        assert_eq!(
            layout.rows,
            [vec![0], vec![1], vec![2, 3], vec![4], vec![5]]
        );
        let of = |link| layout.edges.iter().filter(|e| e.link == link).count();
        assert_eq!(
            [Link::Reads, Link::Inhibits, Link::Feedback].map(of),
            [6, 1, 2]
        );
        assert_eq!(layout.place(3), (2, 1));
    }

    #[test]
    fn lines_pass_between_boxes_and_not_over_each_other() {
        let rows = [vec![(0.0, 40.0), (60.0, 100.0)]];
        assert_eq!(Lanes::default().pass(1, &rows, (50.0, 50.0)), [50.0]);
        let one = [vec![(20.0, 80.0)], vec![(20.0, 80.0)]];
        let mut lanes = Lanes::default();
        let right = 80.0 + MARGIN;
        assert_eq!(lanes.pass(1, &one, (52.0, 52.0)), [right, right]);
        // The next one takes the other side, the one after it a place further out.
        let left = 20.0 - MARGIN;
        assert_eq!(lanes.pass(1, &one, (52.0, 52.0)), [left, left]);
        let third = lanes.pass(2, &one[1..], (52.0, 52.0));
        assert_eq!(third, [right + LANE]);
    }
}
