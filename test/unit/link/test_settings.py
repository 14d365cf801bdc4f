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

"""A bridge that is told nothing goes by the parameters' defaults."""

from camera_ws_bridge.config.parameters import Parameters
from camera_ws_bridge.link.settings import Settings
from camera_ws_bridge.node.assembly import settings


def test_the_defaults_are_those_of_the_parameters():
    url = 'ws://localhost:8080/processor'
    assert settings(Parameters(url, 'gate')) == Settings('gate', url)
