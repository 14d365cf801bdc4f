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

"""Taking names away from Python."""

import sys


def take_modules(*names):
    """Let imports of these modules fail, also where others have imported them already."""
    for name in names:
        parent, _, child = name.rpartition('.')
        sys.modules[name] = None
        vars(sys.modules[parent]).pop(child, None)


def take_policies(name, *enums):
    """Take a member away from each enum."""
    for enum in enums:
        member = enum._member_map_.pop(name)
        enum._member_names_.remove(name)
        enum._value2member_map_.pop(member.value)
        if name in vars(enum):  # not so before Python 3.11
            type.__delattr__(enum, name)
