"""What runs wait for the user to decide: function calls, and code without a sandbox."""
