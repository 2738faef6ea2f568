/** Where the menu and its button are: it closes when the focus goes elsewhere. */
export function MenuPlace({ children }) {
  const onBlur = ({ currentTarget, relatedTarget }) => {
    if (!relatedTarget || currentTarget.contains(relatedTarget)) return;
    // Closed before the focus has arrived, it would call it back.
    setTimeout(() => currentTarget.querySelector("[popover]").hidePopover());
  };
  return (
    <div className="menu-place" onBlur={onBlur}>
      {children}
    </div>
  );
}
