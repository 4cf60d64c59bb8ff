//! CORnet-S with the keys of its authors' release (github.com/dicarlolab/CORnet).
//!
//! Each area is computed several times over; what its parts give the second time is `V2.conv1_1`,
//! the third time `V4.conv1_2`, and so on; `V4.output_3` is the area's last answer, `V4`.

use super::{Activation, Architecture, Builder, Conv, Pool, Value};

const CITATION: &str = "Kubilius J, Schrimpf M, Kar K, Rajalingham R, Hong H, Majaj NJ, Issa EB, \
     Bashivan P, Prescott-Roy J, Schmidt K, Nayebi A, Bear D, Yamins DLK, DiCarlo JJ (2019) \
     Brain-like object recognition with high-performing shallow recurrent ANNs. NeurIPS 32. \
     arXiv:1909.06161";

pub(super) fn entries() -> Vec<Architecture> {
    let description = "CORnet-S: four areas V1, V2, V4 and IT, the later three recurrent";
    vec![
        Architecture::imagenet("cornet_s", "cornet", description, build)
            .cite(CITATION, Some("10.48550/arXiv.1909.06161")),
    ]
}

fn build(b: &mut Builder, images: &Value) -> Value {
    let mut x = images.clone();
    let convs = [
        Conv::square(64, 7).same().stride(2),
        Conv::square(64, 3).same(),
    ];
    for (idx, conv) in (1..).zip(convs) {
        x = b.conv(&format!("V1.conv{idx}"), &x, conv.without_bias());
        x = b.batch_norm(&format!("V1.norm{idx}"), &x, 1e-5);
        x = b.activation(&format!("V1.nonlin{idx}"), &x, Activation::Relu);
        if idx == 1 {
            x = b.max_pool("V1.pool", &x, Pool::new(3, 2).padding(1));
        }
    }
    b.identity("V1.output", &x);
    b.container("V1", &x);
    for (area, channels, times) in [("V2", 128, 2), ("V4", 256, 4), ("IT", 512, 2)] {
        x = recurrent(b, area, &x, channels, times);
    }
    x = b.adaptive_avg_pool("decoder.avgpool", &x, [1, 1]);
    x = b.flatten("decoder.flatten", &x);
    b.step(&x);
    x = b.linear("decoder.linear", &x, 1000, true);
    b.identity("decoder.output", &x);
    b.container("decoder", &x);
    x
}

fn recurrent(b: &mut Builder, area: &str, x: &Value, channels: usize, times: usize) -> Value {
    let child = |name: &str| format!("{area}.{name}");
    let point = |channels| Conv::square(channels, 1).without_bias();
    let wide = 4 * channels;
    let mut x = b.conv(&child("conv_input"), x, point(channels));
    for time in 0..times {
        // The first time halves the map.
        let stride = if time == 0 { 2 } else { 1 };
        let mut skip = x.clone();
        if time == 0 {
            skip = b.conv(&child("skip"), &x, point(channels).stride(2));
            skip = b.batch_norm(&child("norm_skip"), &skip, 1e-5);
        }
        let around = Conv::square(wide, 3).same().stride(stride).without_bias();
        for (idx, conv) in (1..).zip([point(wide), around, point(channels)]) {
            x = b.conv(&child(&format!("conv{idx}")), &x, conv);
            x = b.batch_norm(&child(&format!("norm{idx}_{time}")), &x, 1e-5);
            if idx == 3 {
                x = b.add(&child("add"), &x, &skip);
                b.step(&x);
            }
            x = b.activation(&child(&format!("nonlin{idx}")), &x, Activation::Relu);
        }
        b.identity(&child("output"), &x);
    }
    b.container(area, &x);
    x
}
