//! The tidy tables of Object2Brain.

use consilience_core::{CategoryMatrix, ObjectsRecord};

use crate::{
    Table,
    analyses::Named,
    csv::{self, Rows, field, number},
};

const SCORES: &str = "analysis,model,layer,layer_idx,target,kind,simulated,subset,category,n_stimuli,n_filters,\
n_filters_of,n_runs,r,r_lesioned,delta,delta_sd,p_random_filters,p_corrected,p_permutation,random_mean,random_sd,note";

pub(crate) fn tables(analyses: &[Named<'_, ObjectsRecord>], main: &str) -> [Table; 4] {
    let mut effects = Rows::new(main, SCORES);
    let mut overlap = Rows::new(
        "overlap.csv",
        "analysis,category_a,category_b,overlap,n_stimuli",
    );
    let mut together = Rows::new(
        "co_occurrence.csv",
        "analysis,category_a,category_b,co_occurrence,n_stimuli",
    );
    let mut importance = Rows::new(
        "importance.csv",
        "analysis,model,layer,layer_idx,category,mean,sd,n_stimuli",
    );
    for Named { name, record } in analyses {
        scores(&mut effects, name, record);
        matrix(&mut overlap, name, record, &record.overlap);
        matrix(&mut together, name, record, &record.co_occurrence);
        importances(&mut importance, name, record);
    }
    [effects, overlap, together, importance].map(Rows::finish)
}

/// 0-based place of a layer within its model.
fn layer_idx(objects: &ObjectsRecord, layer: usize) -> usize {
    let model = &objects.layers[layer].model;
    let before = objects.layers[..layer].iter();
    before.filter(|l| l.model == *model).count()
}

fn scores(rows: &mut Rows, analysis: &str, objects: &ObjectsRecord) {
    for e in &objects.effects {
        let layer = &objects.layers[e.layer];
        let target = &objects.targets[e.target];
        let subset = &objects.subsets[e.subset];
        rows.push(&[
            analysis.to_owned(),
            field(&layer.model),
            field(&layer.layer),
            layer_idx(objects, e.layer).to_string(),
            field(&target.name),
            csv::kind(target.kind),
            target.is_simulated.to_string(),
            field(&subset.name),
            field(&objects.categories[e.category].name),
            subset.n_stimuli.to_string(),
            number(Some(e.n_filters)),
            layer.n_filters.to_string(),
            e.n_runs.to_string(),
            number(e.r),
            number(e.r_lesioned),
            number(e.delta),
            number(e.delta_sd),
            number(e.p_random),
            number(e.p_corrected),
            number(e.p_permutation),
            number(e.random_mean),
            number(e.random_sd),
            field(e.note.as_deref().unwrap_or("")),
        ]);
    }
}

fn matrix(rows: &mut Rows, analysis: &str, objects: &ObjectsRecord, matrix: &CategoryMatrix) {
    for (a, first) in objects.categories.iter().enumerate() {
        for (b, second) in objects.categories.iter().enumerate() {
            rows.push(&[
                analysis.to_owned(),
                field(&first.name),
                field(&second.name),
                number(matrix.values[a][b]),
                matrix.n_stimuli[a][b].to_string(),
            ]);
        }
    }
}

fn importances(rows: &mut Rows, analysis: &str, objects: &ObjectsRecord) {
    for i in &objects.importance {
        let layer = &objects.layers[i.layer];
        rows.push(&[
            analysis.to_owned(),
            field(&layer.model),
            field(&layer.layer),
            layer_idx(objects, i.layer).to_string(),
            field(&objects.categories[i.category].name),
            number(i.mean),
            number(i.sd),
            i.n_stimuli.to_string(),
        ]);
    }
}
