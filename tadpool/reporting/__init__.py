"""Pages from results: `study.study_page` and `index.index_page` return HTML; nothing here computes
a model or draws.

Every number on a page is read from a result file. Text of users passes through autoescape alone;
SVG and MathML are parsed and written again from lists of allowed elements and attributes
(`markup`).
"""
