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

"""The list of a site's cameras: config/cameras.yaml, checked."""

from __future__ import annotations

import re
from typing import Any

import yaml

KEYS = {'camera_id', 'namespace', 'orchestrator_url', 'parameters', 'params_file'}
NAMESPACE = re.compile(r'[A-Za-z]\w*(/[A-Za-z_]\w*)*', re.ASCII)


def load(path: str) -> list[dict[str, Any]]:
    """Return the cameras of a YAML file; raise ValueError that says what is wrong."""
    try:
        with open(path, encoding='utf-8') as file:
            content = yaml.safe_load(file)
    except OSError as error:
        raise ValueError(f'cameras_file: {path}: {error.strerror}') from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f'{path}: not YAML: {error}') from None
    return checked(content, path)


def checked(content: object, path: str) -> list[dict[str, Any]]:
    """Return the cameras, each with id and namespace; raise ValueError that says what is wrong."""
    cameras = content.get('cameras') if isinstance(content, dict) else None
    if not isinstance(cameras, list) or not cameras:
        raise ValueError(f"{path}: needs a list 'cameras' with at least one entry")
    taken: set[tuple[str | None, ...]] = set()
    result = []
    for number, entry in enumerate(cameras, 1):
        try:
            camera = _checked_camera(entry)
            keys: tuple[tuple[str | None, ...], ...] = (
                ('namespace', camera['namespace']),
                ('camera_id', camera['camera_id'], camera.get('orchestrator_url')))
            for key in keys:
                if key in taken:
                    raise ValueError(f'{key[0]} {key[1]!r} is taken by another camera')
                taken.add(key)
        except ValueError as error:
            raise ValueError(f'{path}: camera {number}: {error}') from None
        result.append(camera)
    return result


def _checked_camera(camera: object) -> dict[str, Any]:
    if not isinstance(camera, dict) or 'camera_id' not in camera:
        raise ValueError('needs a camera_id')
    for key, value in camera.items():
        if key not in KEYS:
            raise ValueError(f'unknown key {key!r}; known are {", ".join(sorted(KEYS))}')
        if key == 'parameters':
            _check_parameters(value)
            continue
        # YAML makes a number of 010 and a boolean of yes: no guess what was meant.
        if not isinstance(value, str) or not value:
            raise ValueError(f'{key} must be text; put it in quotes')
    namespace = camera.get('namespace', _default_namespace(camera['camera_id'])).strip('/')
    if not NAMESPACE.fullmatch(namespace) or '__' in namespace:
        raise ValueError(f'{namespace!r} is not a namespace that ROS accepts')
    return {**camera, 'namespace': namespace}


def _check_parameters(parameters: object) -> None:
    if not isinstance(parameters, dict):
        raise ValueError('parameters must be a mapping from names to values')
    for name, value in parameters.items():
        if not isinstance(name, str):
            raise ValueError(f'parameters: {name!r} is not a name')
        if name in KEYS:
            raise ValueError(f'parameters: {name} belongs beside parameters, not into them')
        if not isinstance(value, (bool, int, float, str)):
            raise ValueError(f'parameters: {name} must be text, a number, true or false')


def _default_namespace(camera_id: str) -> str:
    name = re.sub(r'[\W_]+', '_', camera_id, flags=re.ASCII)
    return name if name[0].isalpha() else f'camera_{name}'.replace('__', '_')
