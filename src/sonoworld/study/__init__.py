"""A listening study with people: pairs of sounds for the same picture, as a static site, and what the answers say.

`design` says who hears what in which order, `headphones` finds out who wears them, `stimuli` and `site` make the pages,
`answers` reads what people send back, `preference` and `analysis` turn choices into strengths with intervals, and
`simulate` answers for people, to try a study out and to find out how many of them it needs.
"""
