//! Record to figures and one self-contained HTML page.
