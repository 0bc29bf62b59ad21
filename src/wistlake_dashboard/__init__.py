"""What people see: the HTML report, the digest and the Streamlit app, over one small Query port."""
