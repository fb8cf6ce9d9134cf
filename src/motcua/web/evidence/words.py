"""Words of evidence packs."""

from __future__ import annotations

from motcua.web.labels import Words

BLACK_OUTS = Words(
    {
        "personal": "Che dữ liệu cá nhân",
        "officials": "Che thêm cán bộ, ghi chú",
        "none": "Không che gì",
        "messages": "Che toàn bộ nội dung bản tin",
    }
)
BLACK_OUT_HINTS = Words(
    {
        "personal": "Họ tên, số giấy tờ, điện thoại, địa chỉ, tệp của người dân không đọc được; vẫn chứng minh được.",
        "officials": "Như trên, và không đọc được ai bấm, đơn vị bấm, ghi chú. Các việc ấy vẫn có vị trí trong sổ và"
        " chữ ký của cơ quan; nội dung không tính lại được từ mã băm.",
        "none": "Người nhận đọc được dữ liệu cá nhân. Phải ghi lý do; lượt lập được lưu.",
        "messages": "Chỉ còn sự kiện, kết luận, cách tính hẹn trả; bản tin chỉ còn dấu vết.",
    }
)
KINDS = Words({"dossier": "Hồ sơ", "dossiers": "Danh sách hồ sơ", "finding": "Phát hiện", "round": "Đợt kiểm tra"})
MESSAGE_KINDS = Words({"request": "bản tin gửi", "reply": "trả lời", "copy": "bản sao đọc về"})
MESSAGE_SIDES = Words({"ours": "phía tỉnh giữ", "portal": "phía Cổng hoặc điểm thu giữ"})
DOCUMENT_KINDS = Words({"published_list": "danh sách, công văn", "attached": "tệp đơn vị nộp"})
#: What each fault of a pack means.
FAULTS = Words(
    {
        "frame": "Khung tệp không đúng khuôn, hoặc đã bị sửa",
        "form": "Một thành phần không ở dạng chuẩn",
        "format": "Phiên bản gói khác với phiên bản đọc được",
        "signature": "Chữ ký không khớp danh mục",
        "key": "Khóa ký không phải khóa của hệ thống này",
        "parts": "Thừa hoặc thiếu thành phần",
        "part": "Thành phần đã bị sửa",
        "head": "Lần niêm phong có chữ ký sai",
        "consistency": "Sổ không nối tiếp lần niêm phong trước",
        "dossier": "Thành phần của hồ sơ khác",
        "event": "Sự kiện đã bị sửa",
        "chain": "Sự kiện không nối tiếp sự kiện trước",
        "inclusion": "Sự kiện không có trong sổ đã niêm phong",
        "certificate": "Cách tính hẹn trả không khớp",
        "verdict": "Kết luận trái với mốc thời gian của chính nó",
        "timeline": "Diễn biến kể một việc không có trong sổ",
        "openings": "Phần để ngỏ và phần che không đủ",
        "opening": "Giá trị không khớp cam kết",
        "outside_head": "Lần niêm phong được giao trước đây nói khác",
        "no_common_head": "Không lần niêm phong nào trong danh sách so được",
    }
)
