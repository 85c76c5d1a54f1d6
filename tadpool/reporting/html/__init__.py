"""What pages are made of: templates, scripts, figures, equations, glossary."""
