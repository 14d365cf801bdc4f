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

"""What the simulated orchestrator knows and answers, without sockets."""

from camera_ws_bridge.sim.orchestrator.state import Ignored, State
import pytest


def a_state(**arguments):
    """Return a state with two cameras a and b, and two operators of which y wants images."""
    state = State(**arguments)
    for peer in 'xy':
        state.operator_opened(peer)
    state.from_operator('y', {'type': 'setUsesImages', 'usesImages': True})
    for peer in 'ab':
        assert state.from_processor(peer, {'type': 'identifier', 'id': 'id-' + peer}) == []
    return state


def start(state, **fields):
    return state.from_operator('x', {'type': 'start', 'cameraId': 'id-a', **fields})


def test_start_goes_to_the_camera_and_to_operators_that_use_images():
    state = a_state()
    image = {'image': 'data'}
    assert start(state, image='data', boxId=1, frameId=2) == [
        ('a', {'type': 'start', 'objectId': 1, 'frameId': 2, 'boxId': 1, **image}),
        ('y', {'type': 'newObject', 'objectId': 1, **image})]
    assert start(state, frameId=2, boxId=1, image=None)[1] == (
        'y', {'type': 'newObject', 'objectId': 2})
    state.from_operator('y', {'type': 'setUsesImages', 'usesImages': False})
    assert [peer for peer, _ in start(state, image='data')] == ['a']


def test_whoever_begins_to_use_images_hears_of_all_objects_that_have_one():
    state = a_state()
    start(state, image='data')
    start(state, boxId=1, frameId=1)
    new = [('x', {'type': 'newObject', 'objectId': 1, 'image': 'data'})]
    assert state.from_operator('x', {'type': 'setUsesImages', 'usesImages': True}) == new
    state.from_operator('x', {'type': 'stop', 'objectId': 1})
    assert state.from_operator('x', {'type': 'setUsesImages', 'usesImages': True}) == []


@pytest.mark.parametrize('fields', [
    {}, {'frameId': 1}, {'boxId': 1}, {'image': None}, {'frameId': None, 'boxId': 1}])
def test_a_start_that_shows_nothing_takes_no_id(fields):
    state = a_state()
    with pytest.raises(Ignored):
        start(state, **fields)
    assert start(state, boxId=0, frameId=0)[0][1]['objectId'] == 1


def test_objects_time_out_by_their_start_and_operators_are_not_told():
    now = [10.0]
    state = a_state(tracking_timeout=5.0, clock=lambda: now[0])
    start(state, boxId=1, frameId=1)
    now[0] = 12.0
    start(state, boxId=2, frameId=1)
    assert state.time_out() == []
    now[0] = 15.0
    stop = {'type': 'stop', 'objectId': 1}
    assert state.time_out() == [('a', stop), ('b', stop)]
    assert {*state.objects} == {2} and state.last_object == 2
    state.from_operator('x', {'type': 'stop', 'objectId': 2})
    now[0] = 100.0
    assert state.time_out() == []


def test_tracked_objects_on_boxes_are_seen():
    seen = []
    state = a_state(saw=lambda *sighting: seen.append(sighting))
    start(state, boxId=1, frameId=1)
    for boxes in ([{'objectId': 1}, {'objectId': 9}, {}, 5, {'objectId': 1}], 'none', None):
        state.from_processor('b', {'type': 'boundingBoxes', 'frameId': 1, 'boxes': boxes})
    assert seen == [(1, 'id-b')]


def test_start_for_a_camera_that_is_not_there_takes_no_id():
    state = a_state()
    with pytest.raises(Ignored):
        state.from_operator('x', {'type': 'start', 'cameraId': 'nobody', 'boxId': 1, 'frameId': 1})
    assert start(state, boxId=1, frameId=1)[0][1]['objectId'] == 1


def test_stop_goes_to_all_that_use_it_once():
    state = a_state()
    start(state, boxId=1, frameId=1)
    stop = {'type': 'stop', 'objectId': 1}
    assert state.from_operator('x', stop) == [(peer, stop) for peer in 'aby']
    with pytest.raises(Ignored):
        state.from_operator('x', stop)


def test_a_feature_map_goes_to_processors_and_is_kept():
    state = a_state()
    start(state, boxId=1, frameId=1)
    message = {'type': 'featureMap', 'objectId': 1, 'featureMap': [1, 0.5]}
    assert state.from_processor('b', message) == [('a', message), ('b', message)]
    assert state.from_processor('c', {'type': 'identifier', 'id': 'id-c'}) == [('c', message)]


def test_boxes_of_an_unregistered_camera_have_a_null_id():
    state = a_state()
    boxes = {'type': 'boundingBoxes', 'frameId': 1, 'boxes': []}
    (peer, relayed), _ = state.from_processor('stranger', boxes)
    assert peer == 'x'
    assert list(relayed.items()) == [
        ('type', 'boundingBoxes'), ('cameraId', None), ('frameId', 1), ('boxes', [])]


def test_operators_come_and_go():
    state = a_state()
    state.operator_closed('x')
    state.operator_closed('x')
    assert [peer for peer, _ in start(state, boxId=1, frameId=1)] == ['a', 'y']


def test_the_older_connection_takes_the_registration_with_it():
    state = a_state()
    state.from_processor('a2', {'type': 'identifier', 'id': 'id-a'})
    assert state.connections_by_camera()['id-a'] == {'open': 2, 'opened': 2}
    state.processor_closed('a')
    state.processor_closed('a')
    with pytest.raises(Ignored):
        start(state, boxId=1, frameId=1)
    state.from_processor('a2', {'type': 'identifier', 'id': 'id-a'})
    assert start(state, boxId=1, frameId=1)[0][0] == 'a2'
    assert state.connections_by_camera()['id-a'] == {'open': 1, 'opened': 2}


def test_operators_have_a_token_of_their_own():
    state = State(token='t', operator_token='o')
    state.operator_opened('x')
    state.operator_opened('y')
    assert state.operators == {}
    assert state.from_operator('x', {'type': 'setUsesImages', 'usesImages': True}) is None
    assert state.from_operator('x', {'type': 'authenticate', 'jwt': 't'}) == []
    assert state.operators == {}
    for peer in 'xy':  # which came before either was authenticated
        assert state.from_operator(peer, {'type': 'authenticate', 'jwt': 'o'}) == []
        assert [*state.operators.values()] == [peer]
    assert state.from_operator('x', {'type': 'setUsesImages', 'usesImages': True}) == []
    state.operator_closed('x')
    assert state.operators == {}


def test_a_registration_left_behind_ends_what_is_sent_to_all():
    state = a_state()
    for camera_id in ('old', 'new'):
        state.from_processor('c', {'type': 'identifier', 'id': camera_id})
    state.from_processor('d', {'type': 'identifier', 'id': 'id-d'})
    start(state, boxId=1, frameId=1)
    state.processor_closed('c')
    assert state.from_operator(
        'x', {'type': 'start', 'cameraId': 'old', 'image': 'data'}) == []
    message = {'type': 'featureMap', 'objectId': 2, 'featureMap': [1]}
    assert [peer for peer, _ in state.from_processor('a', message)] == ['a', 'b']
    stop = {'type': 'stop', 'objectId': 2}
    assert [peer for peer, _ in state.from_operator('x', stop)] == ['a', 'b']
    state.from_processor('c2', {'type': 'identifier', 'id': 'old'})
    assert [peer for peer, _ in state.from_operator('x', {**stop, 'objectId': 1})] == [
        'a', 'b', 'c2', 'd', 'y']


def test_a_token_must_be_shown_first_on_every_connection():
    state = State(token='t')
    identifier = {'type': 'identifier', 'id': 'id'}
    assert state.from_processor('a', identifier) is None
    assert state.from_processor('a', {'type': 'authenticate', 'jwt': 't'}) == []
    assert state.from_processor('a', identifier) == []
    assert state.from_processor('a', {'type': 'authenticate', 'jwt': 'anything'}) == []
    assert state.from_processor('b', identifier) is None
    state.processor_closed('a')
    assert state.from_processor('a', identifier) is None


@pytest.mark.parametrize('message', [
    {'type': 'identifier'}, {'type': 'identifier', 'id': [1]}, {'type': 'unheardOf'}, {},
    {'type': 'boundingBoxes', 'boxes': []}, {'type': 'featureMap', 'objectId': 1}])
def test_processors_nonsense_is_ignored_with_a_reason(message):
    with pytest.raises(Ignored, match='.+'):
        a_state().from_processor('a', message)


@pytest.mark.parametrize('message', [
    {'type': 'start'}, {'type': 'stop'}, {'type': 'setUsesImages'}, {'type': 'unheardOf'}, {}])
def test_operators_nonsense_is_ignored_with_a_reason(message):
    with pytest.raises(Ignored, match='.+'):
        a_state().from_operator('x', message)
