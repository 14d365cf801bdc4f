# Copyright 2026 camera_ws_bridge developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""How Sphinx builds the documentation: `make docs`."""

from importlib.metadata import version as version_of
import importlib.util

project = 'camera_ws_bridge'
author = 'camera_ws_bridge developers'
copyright = f'2026 {author}'  # noqa: A001
version = release = version_of(project)

extensions = ['myst_parser', 'sphinx.ext.apidoc', 'sphinx.ext.autodoc']
html_theme = 'alabaster'
html_theme_options = {'description': 'A camera to an orchestrator, ROS 2 to WebSocket'}

# The headings of the pages are link targets, as they are where the files are read as they are.
myst_heading_anchors = 3

# The installed package is read, as everywhere; docs/api is written anew each time.
(_package,) = importlib.util.find_spec(project).submodule_search_locations
apidoc_modules = [{
    'path': _package,
    'destination': 'api',
    'separate_modules': True,
    'module_first': True,
    'implicit_namespaces': False,
}]
autodoc_default_options = {'members': True, 'undoc-members': False, 'show-inheritance': True}
autodoc_typehints = 'description'
autodoc_mock_imports = ['vision_msgs']
default_role = 'code'

# A name that a module passes on is found at both places; either will do.
suppress_warnings = ['ref.python']
