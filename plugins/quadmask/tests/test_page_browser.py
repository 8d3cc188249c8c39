"""The editor's page in headless Chromium."""

from __future__ import annotations

from typing import Any

import numpy as np
from quadmask_page import COUNT, GRID, HIGH, WIDE, Page, colour, plate, settled, spot

from kinetoscope_quadmask.editing import MaskEditor
from kinetoscope_quadmask.streams import blank


def test_a_session_in_the_browser(page: Page, tab: Any) -> None:
    """Cells, strokes, copies, undo by key and by button, saving: pixel for pixel what the editor does alone."""
    wanted = MaskEditor(blank(plate()), GRID)
    plain = colour(tab, 84, 40)
    tab.mouse.click(*spot(tab, 84, 40))
    settled(tab)
    wanted.toggle_cell(0, GRID.cell(84, 40, WIDE, HIGH))
    np.testing.assert_array_equal(page.editor.frame(0), wanted.frame(0))
    assert colour(tab, 84, 40)[2] > plain[2] + 30  # blue is seen at once
    tab.keyboard.press("ArrowRight")
    tab.wait_for_selector("canvas[data-frame='1']")
    tab.get_by_role("button", name="Copy layer").click()
    settled(tab)
    wanted.copy_before(1, ["affected"])
    tab.keyboard.press("1")
    tab.keyboard.press("b")
    tab.mouse.move(*spot(tab, 20, 20))
    tab.mouse.down()
    tab.mouse.move(*spot(tab, 60, 50), steps=5)
    tab.mouse.up()
    settled(tab)
    drawn = page.editor.frame(1) <= 63
    down, across = np.mgrid[:HIGH, :WIDE]
    along = np.clip(((across - 20) * 40 + (down - 20) * 30) / 2500, 0, 1)
    far = np.hypot(across - 20 - along * 40, down - 20 - along * 30)
    assert drawn[far < 19].all()
    assert not drawn[far > 21].any()
    red, _, blue, _ = colour(tab, 20, 20)
    assert red > blue + 30
    brushed = page.editor.frame(1)
    tab.keyboard.press("Control+z")
    settled(tab)
    np.testing.assert_array_equal(page.editor.frame(1), wanted.frame(1))
    assert tab.locator("#told").inner_text() == "undone: brush on frame 1"
    tab.get_by_role("button", name="Redo").click()
    settled(tab)
    np.testing.assert_array_equal(page.editor.frame(1), brushed)
    assert tab.get_by_role("button", name="Redo").is_disabled()
    tab.get_by_role("button", name="Save").click()
    settled(tab)
    np.testing.assert_array_equal(page.saved[-1], np.stack([page.editor.frame(i) for i in range(COUNT)]))
    assert tab.get_by_role("button", name="Save").is_disabled()
    tab.get_by_role("button", name="Close").click()
    assert page.server.wait(5)


def test_a_rubber_and_the_other_buttons(page: Page, tab: Any) -> None:
    page.editor.brush(0, [(80, 45)], 400)
    tab.reload()
    tab.wait_for_selector("canvas[data-frame='0']")
    tab.get_by_label("Removed").check()
    tab.get_by_label("Rubber").check()
    tab.mouse.click(*spot(tab, 80, 45))
    settled(tab)
    assert page.editor.frame(0)[45, 80] == 255
    assert page.editor.frame(0)[5, 5] == 0
    tab.get_by_role("button", name="Next frame").click()
    tab.wait_for_selector("canvas[data-frame='1']")
    tab.get_by_role("button", name="Copy to the end").click()
    settled(tab)
    np.testing.assert_array_equal(page.editor.frame(2), page.editor.frame(0))
    tab.get_by_role("button", name="Clear layer").click()
    settled(tab)
    assert (page.editor.frame(1) == 255).all()
    assert "removed 0 px" in tab.locator("#counts").inner_text()
    for _ in range(3):
        tab.get_by_role("button", name="Undo").click()
    settled(tab)
    assert page.editor.steps == (1, 3)
    assert (page.editor.frame(1) == 255).all()


def test_an_error_is_shown_and_the_page_goes_on(page: Page, tab: Any) -> None:
    tab.evaluate("edit({ op: 'cell', layer: 'affected', row: 99, col: 0 })")
    settled(tab)
    assert "lies outside the grid" in tab.locator("#told").inner_text()
    tab.mouse.click(*spot(tab, 3, 3))
    settled(tab)
    assert page.editor.frame(0)[3, 3] == 127


HOLD = """() => {
  const get = window.fetch;
  window.waiting = [];
  window.asked = 0;
  window.fetch = (url, ...rest) => {
    if (!String(url).startsWith("/api/picture")) return get(url, ...rest);
    window.asked++;
    return new Promise((go) => waiting.push(go)).then(() => get(url, ...rest));
  };
}"""
"""Pictures come when the test lets them."""


def let_pictures_come(tab: Any) -> None:
    tab.evaluate(
        "async () => { let done = false; held.busy.then(() => (done = true)); "
        "while (!done) { waiting.splice(0).forEach((go) => go()); "
        "await new Promise((go) => setTimeout(go, 5)); } }"
    )


def test_what_is_edited_is_the_frame_that_is_seen(page: Page, tab: Any) -> None:
    """However long the next one's picture takes."""
    tab.evaluate(HOLD)
    tab.keyboard.press("ArrowRight")
    tab.mouse.click(*spot(tab, 84, 40))
    assert tab.get_attribute("#canvas", "data-frame") == "0"
    let_pictures_come(tab)
    assert tab.get_attribute("#canvas", "data-frame") == "1"
    assert page.editor.frame(0)[40, 84] == 127
    assert (page.editor.frame(1) == 255).all()


def test_a_stroke_stays_what_and_where_it_began(page: Page, tab: Any) -> None:
    tab.keyboard.press("b")
    tab.keyboard.press("1")
    tab.mouse.move(*spot(tab, 100, 30))
    tab.mouse.down()
    for key in ("c", "2", "ArrowRight"):
        tab.keyboard.press(key)
    tab.wait_for_selector("canvas[data-frame='1']")
    tab.mouse.move(*spot(tab, 110, 30))
    tab.mouse.up()
    settled(tab)
    assert page.editor.frame(0)[30, 105] == 0
    assert (page.editor.frame(1) == 255).all()


def test_a_long_stroke_is_drawn_to_its_end(page: Page, tab: Any) -> None:
    tab.keyboard.press("b")
    tab.mouse.move(*spot(tab, 30, 30))
    tab.mouse.down()
    tab.evaluate("for (let i = 0; i < 25000; i++) held.stroke.points.push([30 + i / 250, 30])")
    tab.mouse.move(*spot(tab, 130, 31))
    tab.mouse.move(*spot(tab, 130, 60))
    tab.mouse.up()
    settled(tab)
    covered = page.editor.frame(0) == 127
    assert covered[30, 30:131].all()
    assert covered[60, 130]


def test_a_dragged_slider_asks_for_few_frames(tab: Any) -> None:
    tab.evaluate(HOLD)
    tab.evaluate(
        "for (let i = 0; i < 31; i++) { element('frame').value = i % 3; "
        "element('frame').dispatchEvent(new Event('input')); }"
    )
    let_pictures_come(tab)
    assert tab.evaluate("asked") <= 2
    assert tab.get_attribute("#canvas", "data-frame") == "0"
    tab.evaluate("go(1); go(2)")
    let_pictures_come(tab)
    assert tab.get_attribute("#canvas", "data-frame") == "2"


def test_closing_asks_what_another_tab_has_edited(page: Page, tab: Any) -> None:
    page.editor.toggle_cell(0, (1, 1))
    asked: list[str] = []
    tab.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    tab.get_by_role("button", name="Close").click()
    settled(tab)
    assert asked == ["Close without saving?"]
    assert not page.server.wait(0)


def test_cells_are_toggled_by_key(page: Page, tab: Any) -> None:
    tab.focus("#canvas")
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowUp", "Enter"):
        tab.keyboard.press(key)
    settled(tab)
    wanted = MaskEditor(blank(plate()), GRID)
    wanted.toggle_cell(0, (GRID.rows // 2 - 1, GRID.cols // 2 + 1))
    np.testing.assert_array_equal(page.editor.frame(0), wanted.frame(0))


def test_keys_choose_tools_while_a_slider_has_the_focus(tab: Any) -> None:
    tab.focus("#radius")
    tab.keyboard.press("e")
    tab.keyboard.press("1")
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("[chosen('tool'), chosen('layer'), element('radius').value]") == [
        "rubber",
        "removed",
        "21",
    ]
    assert tab.get_attribute("#canvas", "data-frame") == "0"


def test_undo_goes_to_the_frame_that_it_changes(page: Page, tab: Any) -> None:
    page.editor.toggle_cell(2, (1, 1))
    tab.keyboard.press("Control+z")
    settled(tab)
    assert tab.locator("#told").inner_text() == "undone: cell 1, 1 on frame 2"
    assert tab.get_attribute("#canvas", "data-frame") == "2"
    assert tab.input_value("#frame") == "2"


def test_a_small_window_has_room_for_the_frame(tab: Any) -> None:
    tab.set_viewport_size({"width": 500, "height": 300})
    tab.reload()
    tab.wait_for_selector("canvas[data-frame='0']")
    assert tab.locator("#canvas").bounding_box()["height"] > 100
    tab.locator("#after").scroll_into_view_if_needed()
    tab.locator("#after").click()
    tab.wait_for_selector("canvas[data-frame='1']")
