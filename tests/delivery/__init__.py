"""What is delivered beside the code: image, compose file, manifests, bill of materials."""
