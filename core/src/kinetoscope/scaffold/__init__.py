"""Beginnings of plugins: distributions that are written from templates, ready to publish.

A template is a folder `<hook>/acme_thing`, a package that works as it stands; the words
`acme_thing`, `acme-thing` and `AcmeThing` become the plugin's. What all plugins have beside their
package stands in `shared`. `hook` is the template of a kind of provider of one's own.
"""

from kinetoscope.scaffold._distribution import OWN, Made, kinds, scaffold

__all__ = ["OWN", "Made", "kinds", "scaffold"]
